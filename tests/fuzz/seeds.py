"""What fuzzing starts from: small good inputs, and the hostile ones of the fault tests."""

from __future__ import annotations

import io
import json
import pickle
import struct
import zipfile
from collections.abc import Callable, Iterator

from PIL import Image

from tests.conftest import ROOT
from tests.faults.hostile import READ, REFUSED

CHAINS = """3x224x224 conv:64,k7,s2,p3 bn relu maxpool:k3,s2,p1 res[ conv:64,k3,p1 / ]@2 gap
300x400 conv:8,k3x5,s2x1,p1,d2,g1,nobias
1x16 conv1d:4,k3 linear:10
3x8x32x32 conv3d:8,k3 adaptiveavgpool:1 flatten linear:7
3x32x32 cat[ conv:4,k1 / conv:4,k3,psame / ] upsample:2,bilinear pad:0+1x2 convt:8,k2,s2,op1
3x9x9 dwconv:k3,m2 sepconv:8,k3 gn:2 in ln gelu softmax dropout:0.5 minpool:k2,ceil
10 linear:5,nobias relu"""
SIDE = 12
DEPTHS = ("RGB", "L", "P", "RGBA", "1", "CMYK", "I;16", "F", "LA")
KINDS = (
    "PNG",
    "JPEG",
    "GIF",
    "BMP",
    "TIFF",
    "WEBP",
    "PPM",
    "TGA",
    "ICO",
    "QOI",
    "AVIF",
    "JPEG2000",
)


def images() -> Iterator[bytes]:
    """An image in every format and mode that goes together, and all hostile ones of some size."""
    for kind in KINDS:
        for mode in DEPTHS:
            buffer = io.BytesIO()
            try:
                Image.linear_gradient("L").resize((SIDE, SIDE)).convert(mode).save(buffer, kind)
            except (OSError, ValueError, KeyError):  # not every format has every mode
                continue
            yield buffer.getvalue()
    for compression in ("tiff_lzw", "tiff_deflate", "packbits", "group4", "jpeg"):
        buffer = io.BytesIO()
        mode = "1" if compression == "group4" else "L"
        Image.new(mode, (SIDE, SIDE)).save(buffer, "TIFF", compression=compression)
        yield buffer.getvalue()
    yield from (data for data in {**REFUSED, **READ}.values() if len(data) < 4000)


def kernels() -> Iterator[bytes]:
    """The kernels that ship, and forms that they do not have."""
    yield from (path.read_bytes() for path in sorted((ROOT / "kernels").glob("*.json")))
    yield b"\xef\xbb\xbf[[1e0, -2.50], [0, 1E-3]]"
    yield b'{"weights": [[1]], "divisor": -3, "offset": 0.5, "name": "\\ud800\\u0000"}'
    yield b'{"magnitude": ["laplacian", [[1, 2, 3], [4, 5, 6], [7, 8, 9]]]}'


def chains() -> Iterator[bytes]:
    """Sizes with layers."""
    yield from (line.encode() for line in CHAINS.splitlines())


def headers() -> Iterator[bytes]:
    """Files of safetensors."""
    for entries in (
        {"a": {"dtype": "F32", "shape": [2, 2], "data_offsets": [0, 16]}},
        {
            "__metadata__": {"format": "pt"},
            "b": {"dtype": "U8", "shape": [], "data_offsets": [0, 1]},
            "c": {"dtype": "I64", "shape": [0, 3], "data_offsets": [1, 1]},
        },
    ):
        text = json.dumps(entries).encode()
        yield struct.pack("<Q", len(text)) + text + bytes(16 if "a" in entries else 1)


def pickles() -> Iterator[bytes]:
    """Files of torch.save, made without torch: the zip, and the row of pickles before it."""
    tensor = (
        b"ctorch._utils\n_rebuild_tensor_v2\n((X\x07\0\0\0storagectorch\nFloatStorage\n"
        b"X\x01\0\0\x000X\x03\0\0\0cpuK\x04tQK\0K\x04\x85K\x01\x85\x89"
        b"ccollections\nOrderedDict\n)RtR"
    )
    content = b"\x80\x02}X\x01\0\0\0a" + tensor + b"s."
    buffer = io.BytesIO()
    with zipfile.ZipFile(buffer, "w") as archive:
        archive.writestr("archive/data.pkl", content)
        archive.writestr("archive/data/0", bytes(16))
    yield buffer.getvalue()
    about = {"little_endian": True, "protocol_version": 1001, "type_sizes": {"int": 4}}
    rest = [0x1950A86A20F9469CFC6C, 1001, about]
    keys = pickle.dumps(["0"], 2)
    yield (
        b"".join(pickle.dumps(one, 2) for one in rest)
        + content
        + keys
        + struct.pack("<q", 4)
        + bytes(16)
    )


SEEDS: dict[str, Callable[[], Iterator[bytes]]] = {
    "image": images,
    "kernel": kernels,
    "shape": chains,
    "header": headers,
    "pickled": pickles,
}
