"""Images through a model: every layer as a picture, the predictions, the manifest."""
