"""torchvision comes without torch's compiler, and whoever wants that gets the real one."""

from __future__ import annotations

import subprocess
import sys

import pytest

LOAD = "import sys; from cnnviz.models.sources import torchvision as tv; tv.load_torchvision(); "


def printed(code: str) -> str:
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    return done.stdout.strip()


def test_the_compiler_is_not_imported_and_works_when_it_is_used() -> None:
    code = (
        LOAD + "print('torch._dynamo' in sys.modules);"
        "supported = sys.modules['torchvision.ops.roi_align'].is_compile_supported;"
        "said = supported('cpu');"
        "from torch._dynamo.utils import is_compile_supported as own;"
        "print(said == own('cpu'), 'eval_frame' in own.__code__.co_filename or own.__module__);"
        "import torch; print(torch._dynamo.__file__.endswith('__init__.py'))"
    )
    assert printed(code).split() == ["False", "True", "torch._dynamo.utils", "True"]


@pytest.mark.parametrize("name", ["torch._dynamo.utils.counters", "torch._dynamo.reset"])
def test_another_name_that_is_asked_for_is_the_real_one(name: str) -> None:
    module, _, attribute = name.rpartition(".")
    code = (
        "import sys; from cnnviz.models.building.quick_import import compiler_left_out as out\n"
        f"with out():\n    from {module} import {attribute} as found\n"
        f"import torch._dynamo.utils; print(found is {name})"
    )
    assert printed(code) == "True"


def test_a_model_that_is_compiled_as_it_is_built_gets_the_real_one() -> None:
    code = (
        "import torch; from torch import nn\n"
        "from cnnviz.models.building.quick_import import compiler_left_out as out\n"
        "own = torch.compile\n"
        "with out():\n    made = torch.compile(nn.ReLU())\n"
        "print(type(made).__name__, made._orig_mod, torch.compile is own)"
    )
    assert printed(code).split() == ["OptimizedModule", "ReLU()", "True"]


def test_meta_runs_leave_the_compiler_out_and_keep_torch_s_parts_from_it() -> None:
    code = (
        "import sys; from cnnviz.summary.model import summarize; summarize('resnet18');"
        "print('torch._dynamo' in sys.modules);"
        "import torch; from torch._refs import normal_;"
        "kept = [f for f in gc.get_objects() if hasattr(f, '__dict__') and '__dynamo_disable' in"
        " vars(f)]; print(len(kept))"
    )
    assert printed(f"import gc; {code}").split() == ["False", "0"]
