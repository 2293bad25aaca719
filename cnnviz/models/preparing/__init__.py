"""How an image, or what is given for one, becomes a model's input; knows no models."""
