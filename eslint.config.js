import js from "@eslint/js";

const browser = [
  "ImageData", "Image", "DOMParser", "Event", "OffscreenCanvas", "addEventListener", "atob",
  "cancelAnimationFrame", "document", "getSelection", "history", "localStorage", "location", "navigator",
  "requestAnimationFrame", "scrollTo", "URL",
];

export default [
  js.configs.recommended,
  {
    languageOptions: {
      ecmaVersion: 2024,
      sourceType: "module",
      globals: Object.fromEntries(browser.map((name) => [name, "readonly"])),
    },
    linterOptions: { reportUnusedDisableDirectives: "error" },
    rules: {
      complexity: ["error", 14],
      curly: ["error", "multi-line"],
      eqeqeq: ["error", "always", { null: "ignore" }],
      "max-lines": ["error", 300],
      "max-lines-per-function": ["error", 50],
      "no-else-return": "error",
      "no-implicit-globals": "error",
      "no-restricted-properties": [
        "error",
        { property: "innerHTML", message: "Names would become markup; use el()." },
        { property: "outerHTML", message: "Names would become markup; use el()." },
        { property: "insertAdjacentHTML", message: "Names would become markup; use el()." },
      ],
      "no-shadow": "error",
      "no-var": "error",
      "object-shorthand": "error",
      "prefer-const": "error",
      "prefer-template": "error",
    },
  },
];
