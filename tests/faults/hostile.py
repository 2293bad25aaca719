"""Small files that claim much: what a stranger may send, by name."""

from __future__ import annotations

import io
import struct
import zlib
from typing import Any

import numpy as np
from PIL import Image

SIGNATURE = b"\x89PNG\r\n\x1a\n"
SIDE = 16000  # squared, the most that is allowed


def chunk(name: bytes, data: bytes = b"") -> bytes:
    return struct.pack(">I", len(data)) + name + data + struct.pack(">I", zlib.crc32(name + data))


def zeros(count: int) -> bytes:
    """So many zeros, deflated; the sum at the end is wrong, and nobody gets there."""
    packer, piece = zlib.compressobj(9), bytes(1 << 20)
    first, again = ((packer.compress(piece) + packer.flush(zlib.Z_FULL_FLUSH)) for _ in range(2))
    whole, rest = divmod(count, len(piece))
    return first + again * (whole - 1) + packer.compress(bytes(rest)) + packer.flush()


def png(width: int, height: int, *chunks: bytes, color: int = 2, bits: int = 8) -> bytes:
    header = chunk(b"IHDR", struct.pack(">IIBBBBB", width, height, bits, color, 0, 0, 0))
    return SIGNATURE + header + b"".join(chunks) + chunk(b"IEND")


def saved(kind: str, side: int = 64, **options: Any) -> bytes:
    noise = np.random.default_rng(1).integers(0, 256, (side, side, 3), np.uint8)
    buffer = io.BytesIO()
    Image.fromarray(noise).save(buffer, kind, **options)
    return buffer.getvalue()


def jpeg_claiming(side: int, **options: Any) -> bytes:
    """A JPEG whose header says another size than its data."""
    data = bytearray(saved("JPEG", **options))
    at = data.index(b"\xff\xc2" if options else b"\xff\xc0")
    struct.pack_into(">HH", data, at + 5, side, side)
    return bytes(data)


def scan_bomb() -> bytes:
    """A flat progressive JPEG with its last scan, of a few bytes, three thousand times."""
    buffer = io.BytesIO()
    Image.new("L", (4000, 4000), 7).save(buffer, "JPEG", progressive=True)
    data = buffer.getvalue()
    return data[:-2] + data[data.rindex(b"\xff\xda") : -2] * 3000 + b"\xff\xd9"


def between(data: bytes, junk: bytes) -> bytes:
    """A JPEG with something between its start and its first segment."""
    return data[:2] + junk + data[2:]


def gif(
    before: bytes = b"",
    frames: int = 1,
    canvas: tuple[int, int] = (10, 2),
    size: tuple[int, int] = (10, 2),
) -> bytes:
    frame = b"," + struct.pack("<HHHHB", 0, 0, *size, 0) + b"\x02\x02\x84\x51\x00"
    head = b"GIF89a" + struct.pack("<HHBBB", *canvas, 0x80, 0, 0) + bytes(6)
    return head + before + frame * frames + b";"


def tiff(*entries: tuple[int, int, int, int], next_page: int = 0, **values: int) -> bytes:
    """A TIFF of 10 x 2 gray pixels, or what ``values`` say instead of it."""
    tags = {"width": 256, "height": 257, "bits": 258, "compression": 259, "kind": 339}
    normal = {256: 10, 257: 2, 258: 8, 259: 1, 262: 1, 273: 200, 277: 1, 278: 2, 279: 20}
    normal |= {tags[name]: value for name, value in values.items()}
    plain = [(tag, 4 if tag in {256, 257, 273, 278, 279} else 3, 1, v) for tag, v in normal.items()]
    all_of_them = sorted({entry[0]: entry for entry in [*plain, *entries]}.values())
    body = b"".join(struct.pack("<HHII", *entry) for entry in all_of_them)
    head = b"II*\0\x08\0\0\0" + struct.pack("<H", len(all_of_them)) + body
    return (head + struct.pack("<I", next_page)).ljust(200, b"\0") + bytes(range(200))


def exif(*entries: tuple[int, int, int, int]) -> bytes:
    body = b"".join(struct.pack("<HHII", *entry) for entry in entries)
    return b"II*\0\x08\0\0\0" + struct.pack("<H", len(entries)) + body + bytes(4)


def with_exif(data: bytes) -> bytes:
    segment = b"Exif\0\0" + data
    return between(saved("JPEG"), b"\xff\xe1" + struct.pack(">H", len(segment) + 2) + segment)


def animated_webp(width: int, height: int) -> bytes:
    """An animation of one frame of 16 x 16 on a canvas of that size."""

    def part(name: bytes, data: bytes) -> bytes:
        return name + struct.pack("<I", len(data)) + data + bytes(len(data) % 2)

    buffer = io.BytesIO()
    Image.new("RGB", (16, 16), 5).save(buffer, "WEBP", lossless=True)
    sizes = [struct.pack("<I", n - 1)[:3] for n in (width, height, 16, 16)]
    head = part(b"VP8X", b"\x02\0\0\0" + sizes[0] + sizes[1]) + part(b"ANIM", bytes(6))
    frame = part(b"ANMF", bytes(6) + sizes[2] + sizes[3] + b"\x0a\0\0\0" + buffer.getvalue()[12:])
    body = b"WEBP" + head + frame
    return b"RIFF" + struct.pack("<I", len(body)) + body


def jp2(width: int, height: int, *, box: tuple[int, int] | None = None) -> bytes:
    """A JPEG 2000 whose codestream, and whose box around it, say other sizes."""
    data = bytearray(saved("JPEG2000"))
    at = data.index(b"\xff\x51")
    struct.pack_into(">IIIIIIII", data, at + 6, width, height, 0, 0, width, height, 0, 0)
    boxed = box or (width, height)
    struct.pack_into(">II", data, data.index(b"ihdr") + 4, boxed[1], boxed[0])
    return bytes(data)


def avif(width: int, height: int) -> bytes:
    data = bytearray(saved("AVIF"))
    struct.pack_into(">II", data, data.index(b"ispe") + 8, width, height)
    return bytes(data)


def icon(image: bytes) -> bytes:
    """An icon that says 16 x 16, whatever is in it."""
    return struct.pack("<HHHBBBBHHII", 0, 1, 1, 16, 16, 0, 0, 1, 32, len(image), 22) + image


def bmp(width: int, height: int, bits: int = 24, compression: int = 0, data: bytes = b"") -> bytes:
    head = struct.pack("<IiiHHIIiiII", 40, width, height, 1, bits, compression, 0, 0, 0, 0, 0)
    return b"BM" + struct.pack("<IHHI", 54 + len(data), 0, 0, 54) + head + data


def webp_claiming(width: int, height: int) -> bytes:
    """A lossy WebP whose header says another size than its data."""
    data = bytearray(saved("WEBP"))
    struct.pack_into("<HH", data, 26, width, height)
    return bytes(data)


TWO_ROWS = chunk(b"IDAT", zlib.compress(bytes(62)))
FLAT = zeros(SIDE * (3 * SIDE + 1))
GOOD_JPEG = saved("JPEG")

REFUSED = {
    "png-side": png(70000, 5, TWO_ROWS),
    "png-4-gigapixels-a-side": png(2**32 - 1, 2**32 - 1, TWO_ROWS),
    "png-no-pixels": png(0, 5, TWO_ROWS),
    "png-nothing-behind": png(SIDE, SIDE, TWO_ROWS),
    "png-16-bit-nothing-behind": png(SIDE, SIDE, TWO_ROWS, bits=16),
    "png-cut": png(SIDE, SIDE, chunk(b"IDAT", FLAT[:-40])),
    "png-long-text": png(10, 2, chunk(b"tEXt", b"k\0" + bytes(70_000_000)), TWO_ROWS),
    "png-many-chunks": png(10, 2, chunk(b"tEXt", b"k\0v") * 60_000, TWO_ROWS),
    "png-chunk-of-4-GB": SIGNATURE + png(10, 2)[8:33] + b"\xff\xff\xff\xffIDAT" + bytes(40),
    "png-filter-9": png(10, 2, chunk(b"IDAT", zlib.compress(b"\x09" + bytes(61)))),
    "png-without-pixels": png(10, 2),
    "jpeg-nothing-behind": jpeg_claiming(SIDE),
    "jpeg-progressive-nothing-behind": jpeg_claiming(SIDE, progressive=True),
    "jpeg-half-behind": jpeg_claiming(90),
    "jpeg-many-scans": scan_bomb(),
    "jpeg-fill": between(GOOD_JPEG, b"\xff" * 3_000_000),
    "jpeg-many-segments": between(GOOD_JPEG, b"\xff\xe5\0\2" * 20_000),
    "gif-canvas": gif(canvas=(65535, 65535)),
    "gif-first-frame": gif(b"\x21\xf9\x04\x08\0\0\0\0", size=(65535, 65535)),
    "gif-many-comments": gif(b"\x21\xfe\x01a\0" * 300_000),
    "gif-long-comment": gif(b"\x21\xfe" + b"\x01a" * 300_000 + b"\0"),
    "tiff-nothing-behind": tiff(width=SIDE, height=SIDE),
    "tiff-lzw-nothing-behind": tiff(width=SIDE, height=SIDE, compression=5),
    "tiff-float-nothing-behind": tiff(width=SIDE, height=SIDE, compression=5, bits=32, kind=3),
    "tiff-a-billion-strips": tiff((273, 4, 10**9, 200), (279, 4, 10**9, 200), compression=5),
    "tiff-huge-tile": tiff((322, 4, 1, 60000), (323, 4, 1, 60000), compression=5),
    "tiff-65535-channels": tiff((277, 3, 1, 65535)),
    "tiff-no-size": b"II*\0\x08\0\0\0" + bytes(20),
    "tiff-ends": b"II*\0",
    "tiff-odd-compression": tiff(compression=9999),
    "tiff-bad-deflate": tiff(compression=8),
    "tiff-bad-fax": tiff(compression=4),
    "tiff-bad-lzma": tiff(compression=34925),
    "webp-canvas": animated_webp(16384, 16384),
    "webp-nothing-behind": webp_claiming(16383, 15600),
    "jp2-nothing-behind": jp2(60000, 60000),
    "jp2-larger-inside": jp2(SIDE, SIDE, box=(64, 64)),
    "avif-side": avif(65535, 65535),
    "ico-larger-inside": icon(png(30000, 30000, TWO_ROWS, color=6)),
    "bmp-nothing-behind": bmp(SIDE, SIDE),
    "bmp-least-integer": bmp(2**31 - 1, -(2**31)),
    "ppm-nothing-behind": b"P6 16000 16000 255\n",
    "ppm-long-comment": b"P6\n#" + b"a" * 5_000_000 + b"\n1 1 255\nabc",
    "ppm-plain": b"P3 4000 4000 255\n" + b"1 " * 1000,
    "qoi-nothing-behind": b"qoif" + struct.pack(">IIBB", 4000, 4000, 3, 0),
    "qoi-large": b"qoif" + struct.pack(">IIBB", SIDE, SIDE, 4, 0) + b"\xfd" * (SIDE * SIDE // 62),
    "tga-nothing-behind": struct.pack("<BBBHHBHHHHBB", 0, 0, 2, 0, 0, 0, 0, 0, SIDE, SIDE, 24, 0),
    "psd": b"8BPS\0\1" + bytes(6) + struct.pack(">HIIHH", 3, 30000, 30000, 8, 3) + bytes(100),
    "eps": b"%!PS-Adobe-3.0 EPSF-3.0\n%%BoundingBox: 0 0 30000 30000\n",
    "svg": b"<svg xmlns='http://www.w3.org/2000/svg'><image href='file:///etc/passwd'/></svg>",
    "xpm": b'/* XPM */\nstatic char*x[]={"30000 30000 1 1","a c #000"',
    "sun": b"\x59\xa6\x6a\x95" + struct.pack(">7I", 30000, 30000, 24, 0, 1, 0, 0),
    "heic": b"\0\0\0\x18ftypheic\0\0\0\0mif1heic" + bytes(100),
    "zeros": bytes(3_000_000),
    "html": b"<!DOCTYPE html><html><body>404</body></html>",
}

# Odd, and read all the same: what is wrong is not in the pixels.
READ = {
    "png-bomb-behind-the-pixels": png(10, 2, chunk(b"IDAT", zeros(300 << 20))),
    "png-exif-loop": png(10, 2, chunk(b"eXIf", exif((0x8769, 4, 1, 8))), TWO_ROWS),
    "png-a-billion-frames": png(10, 2, chunk(b"acTL", struct.pack(">II", 2**31 - 1, 0)), TWO_ROWS),
    "jpeg-exif-count": with_exif(exif((0x112, 3, 2**30, 8))),
    "jpeg-exif-of-2-GB": with_exif(exif(*[(0x10E, 2, 2**31, 8)] * 5000)),
    "jpeg-orientation-77": with_exif(exif((0x112, 3, 1, 77))),
    "gif-a-million-frames": gif(frames=1_000_000),
    "tiff-loop": tiff(next_page=8),
    "tiff-next-page-nowhere": tiff(next_page=2**32 - 2),
    "tiff-profile-of-2-GB": tiff((34675, 7, 2**31 - 1, 200)),
}
