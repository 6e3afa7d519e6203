"""Whether bytes begin as an image file does. What is in the file, only the model's own transform can know."""

from __future__ import annotations

_BEGINNINGS = (
    b"\x89PNG\r\n\x1a\n",
    b"\xff\xd8\xff",  # JPEG
    b"GIF87a",
    b"GIF89a",
    b"BM",
    b"II*\x00",  # TIFF, both byte orders
    b"MM\x00*",
    b"P1",  # PBM, PGM, PPM, …
    b"P2",
    b"P3",
    b"P4",
    b"P5",
    b"P6",
    b"\x00\x00\x00\x0cjP  ",  # JPEG 2000
    b"\x00\x00\x01\x00",  # ICO
    b"\x93NUMPY",
)


def looks_like_an_image(data: bytes) -> bool:
    """Do these bytes begin as one of the usual image files?"""
    if data.startswith(_BEGINNINGS):
        return True
    webp = data[:4] == b"RIFF" and data[8:12] == b"WEBP"
    heic_or_avif = data[4:8] == b"ftyp"
    dicom = data[128:132] == b"DICM"
    return webp or heic_or_avif or dicom
