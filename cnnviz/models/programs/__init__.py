"""Files that carry a whole model, its code too: TorchScript and torch.export."""
