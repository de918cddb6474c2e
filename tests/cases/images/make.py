"""Makes the images in this folder, of kinds that the relay's tests cannot encode. Needs Pillow and NumPy."""

import numpy as np
from PIL import Image

RED, GREEN, BLUE = (255, 0, 0), (0, 255, 0), (0, 0, 255)


def patches(mode, *colors):
    """A row of squares of 16 x 16 pixels."""
    square = np.ones((16, 16, 1), np.uint8)
    return Image.fromarray(np.hstack([square * np.array(color, np.uint8) for color in colors]), mode)


# Cyan, magenta, yellow, black, white and red.
inks = [(255, 0, 0, 0), (0, 255, 0, 0), (0, 0, 255, 0), (0, 0, 0, 255), (0, 0, 0, 0), (0, 255, 255, 0)]
patches("CMYK", *inks).save("cmyk.jpg", quality=95)

# Pillow does not write YCCK. Its CMYK files have inverted samples; so these become luma, chroma and inverted black,
# once the marker of Adobe says so.
rgb = patches("RGB", *[ink[:3] for ink in inks]).convert("YCbCr")
black = patches("RGB", *[(255 - ink[3],) * 3 for ink in inks]).getchannel(0)
samples = np.dstack([np.array(rgb), np.array(black)])
Image.fromarray(255 - samples, "CMYK").save("ycck.jpg", quality=95)
with open("ycck.jpg", "r+b") as file:
    file.seek(file.read().index(b"Adobe") + 11)
    file.write(b"\2")

row = patches("RGB", RED, GREEN, BLUE)
row.quantize(4).save("palette.png")
row.save("progressive.jpg", quality=95, progressive=True)
row.save("lossy.webp", quality=95)
lossy = row.convert("RGBA")
lossy.putalpha(128)
lossy.save("lossy-alpha.webp", quality=95)
row.save("animated.webp", save_all=True, append_images=[patches("RGB", BLUE, BLUE, BLUE)], lossless=True)

# Four quarters, so different that the encoder gives them codes of their own.
random = np.random.default_rng(9)
y, x = np.mgrid[0:64, 0:64]
quarters = np.dstack([x * 4, y * 4, x + y]).astype(np.uint8)
quarters[32:, :32] = random.integers(0, 256, (32, 32, 3)) // 32 * 32
quarters[:32, 32:] = (10, 200, 30)
quarters[32:, 32:, 1] = random.integers(0, 9, (32, 32))
Image.fromarray(quarters).save("lossless-regions.webp", lossless=True, quality=100, method=6)
