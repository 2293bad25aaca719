"""The networks of our own, against formulas and against torch's operations one by one."""

from __future__ import annotations

import pytest
import torch
from torch import nn
from torch.nn import functional as F

from cnnviz.capturing import run_and_capture
from cnnviz.models.networks.blocks import MobileBlock, ResidualBlock
from cnnviz.models.networks.cifar import CifarCNN
from cnnviz.models.networks.dcgan import DCGANGenerator
from cnnviz.models.networks.fashion import FashionCNN
from cnnviz.models.networks.unet import UNet


def count(module: nn.Module) -> int:
    return sum(p.numel() for p in module.parameters())


def run(module: nn.Module, x: torch.Tensor) -> torch.Tensor:
    with torch.inference_mode():
        out: torch.Tensor = module.eval()(x)
    return out


@pytest.mark.parametrize("c", [1, 3, 16, 64, 256])
def test_residual_block_has_the_formulas_parameters(c: int) -> None:
    assert count(ResidualBlock(c)) == 2 * (9 * c**2 + c) + 4 * c


def test_residual_block_adds_its_input() -> None:
    block, x = ResidualBlock(4), torch.randn(2, 4, 9, 7)
    with torch.no_grad():
        block.bn2.weight.zero_()  # F(x) is 0 now, its bias included
    assert torch.equal(run(block, x), x.relu())
    with torch.no_grad():
        block.bn2.bias.fill_(10)
    assert torch.equal(run(block, x), (x + 10).relu())


def test_residual_block_repeats_its_relu() -> None:
    captured = run_and_capture(ResidualBlock(), torch.rand(1, 3, 8, 8))
    assert [layer.key for layer in captured.layers if layer.type == "ReLU"] == ["relu", "relu#2"]


@pytest.mark.parametrize(("m", "n"), [(3, 16), (32, 64), (512, 1024)])
def test_mobile_block_saves_what_its_paper_says(m: int, n: int) -> None:
    block, plain = MobileBlock(m, n), nn.Conv2d(m, n, 3, padding=1, bias=False)
    weights = block.depthwise.weight.numel() + block.pointwise.weight.numel()
    assert weights == 9 * m + m * n
    assert count(block) == weights + 2 * m + 2 * n
    # Equation 5: the share is 1/n + 1/9 (of the multiplications; of the weights just so).
    assert weights / count(plain) == pytest.approx(1 / n + 1 / 9)


def test_mobile_block_filters_each_channel_alone() -> None:
    block, x = MobileBlock(3, 5, stride=2), torch.zeros(1, 3, 8, 8)
    x[0, 1] = torch.rand(8, 8)
    filtered = run(block.depthwise, x)
    assert tuple(run(block, x).shape) == (1, 5, 4, 4)
    assert not filtered[0, [0, 2]].any()
    alone = F.conv2d(x[:, 1:2], block.depthwise.weight[1:2], stride=2, padding=1)
    assert torch.allclose(filtered[:, 1:2], alone)


@pytest.mark.parametrize("size", [(8, 8), (64, 128), (128, 128), (24, 40)])
def test_unet_gives_every_pixel_its_scores(size: tuple[int, int]) -> None:
    assert tuple(run(UNet(), torch.rand(2, 3, *size)).shape) == (2, 2, *size)


def test_unet_hands_the_picture_across_at_every_level() -> None:
    torch.manual_seed(0)
    net = UNet()
    with torch.no_grad():
        for up in (net.up1, net.up2, net.up3):
            up.weight.zero_()  # nothing comes up from below
    layers = run_and_capture(net, torch.rand(1, 3, 32, 32)).layers
    shapes = {layer.name: layer.shape for layer in layers}
    assert shapes["merge1.0"] == (8, 32, 32)
    assert net.get_parameter("merge1.0.weight").shape[1] == 8 + 8  # from above and from below
    one, other = torch.zeros(1, 3, 32, 32), torch.zeros(1, 3, 32, 32)
    other[0, :, 16, 16] = 1
    changed = (run(net, one) != run(net, other)).any(1)[0].nonzero()
    assert len(changed)
    assert (changed - 16).abs().max() <= 4  # four 3x3 convolutions on the way across


def test_dcgan_doubles_the_side_as_in_the_papers_figure() -> None:
    net = DCGANGenerator().eval()
    captured = run_and_capture(net, torch.randn(1, 100, 1, 1))
    sizes = [
        tuple(x.values.shape)
        for x in captured.layers
        if x.type == "ConvTranspose2d" and x.values is not None
    ]
    assert sizes == [(1024, 4, 4), (512, 8, 8), (256, 16, 16), (128, 32, 32), (3, 64, 64)]
    assert tuple(captured.output.shape) == (3, 64, 64)
    assert captured.output.abs().max() <= 1


def test_dcgan_weights_begin_as_the_paper_says() -> None:
    net = DCGANGenerator()
    layers = [m for m in net.modules() if isinstance(m, nn.ConvTranspose2d)]
    stds = [float(layer.weight.detach().std()) for layer in layers]
    assert stds == pytest.approx([0.02] * 5, rel=0.05)


def test_fashion_cnn_has_the_notes_maps_and_336_weights_in_its_convolutions() -> None:
    net = FashionCNN()
    layers = {x.name: x.values for x in run_and_capture(net, torch.rand(1, 1, 28, 28)).layers}
    first, second = layers["relu1"], layers["pool"]
    assert first is not None
    assert second is not None
    assert (tuple(first.shape), tuple(second.shape)) == ((4, 28, 28), (8, 14, 14))
    assert count(net.conv1) + count(net.conv2) == 336


def test_another_size_is_refused_and_not_taken_for_a_batch() -> None:
    with pytest.raises(RuntimeError, match="shapes cannot be multiplied"):
        CifarCNN()(torch.rand(1, 3, 64, 64))
