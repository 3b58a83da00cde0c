"""Two images, compared by what they show. Pillow is imported when two differ in their bytes."""

from __future__ import annotations

import base64
import io

TOLERANCE = 0.02
"""The part of the pixels that may differ, by more than the lightness of anti-aliasing."""
FAINT = 24
"""The difference of a channel, of 255, that a person does not see."""


class ImagesNeedPillow(Exception):
    """Images cannot be compared, since Pillow is not installed."""


def difference(stored: str, new: str) -> str | None:
    """How two images in base64 differ, in words; None if a person would take them for the same.

    ImagesNeedPillow where Pillow is not installed; ValueError for what is no image.
    """
    if stored == new:
        return None
    try:
        from PIL import Image, ImageChops
    except ImportError as exc:
        raise ImagesNeedPillow(
            "images are compared by Pillow: pip install 'nbxunit[outputs]'"
        ) from exc
    try:
        one, two = (
            Image.open(io.BytesIO(base64.b64decode(each))).convert("RGBA") for each in (stored, new)
        )
    except OSError as exc:
        raise ValueError(f"it is no image that can be read: {exc}") from exc
    if one.size != two.size:
        sizes = [f"{width} by {height}" for width, height in (one.size, two.size)]
        return f"{sizes[0]} pixels stored, {sizes[1]} now"
    channels = ImageChops.difference(one, two).split()
    worst = channels[0]
    for channel in channels[1:]:
        worst = ImageChops.lighter(worst, channel)
    differing = sum(worst.histogram()[FAINT + 1 :])
    part = differing / (one.width * one.height)
    return f"{part:.1%} of the pixels differ" if part > TOLERANCE else None
