"""Files that no camera makes: mutations of good ones, and extremes.

    python -m tests.data_pipelines.ingest.hostile_videos BASE.mp4 FOLDER COUNT

Deterministic: the same base, count and seed give the same files.
"""

import pathlib
import struct
import sys
from collections.abc import Callable

import av
import cv2
import numpy as np

from tests.data_pipelines.ingest import drawn_videos as drawn


def flip_bits(data: bytearray, rng, first: float = 0.0, last: float = 1.0) -> bytearray:
  """1 to 200 bits of a stretch of the file."""
  low, high = int(first * len(data)), max(int(last * len(data)), 1)
  for at in rng.integers(low, high, int(10 ** rng.uniform(0, 2.3))):
    data[at] ^= 1 << int(rng.integers(8))
  return data


def flip_header(data: bytearray, rng) -> bytearray:
  """Bits of the tables that say where everything lies."""
  at = data.find(b'moov')
  size = struct.unpack('>I', data[at - 4 : at])[0]
  for k in rng.integers(at + 4, min(at + size, len(data)), int(rng.integers(1, 40))):
    data[k] ^= 1 << int(rng.integers(8))
  return data


def flip_pictures(data: bytearray, rng) -> bytearray:
  """Bits of pictures and sound only."""
  at = data.find(b'mdat')
  return data[: at + 4] + flip_bits(data[at + 4 :], rng)


def truncate(data: bytearray, rng) -> bytearray:
  return data[: int(rng.uniform(0, 1) * len(data))]


def wrong_head(data: bytearray, rng) -> bytearray:
  """Another first box, or none."""
  head = [b'RIFF', b'\xff\xd8\xff\xe0', b'OggS', b'\x1aE\xdf\xa3', b'PK\x03\x04', b'']
  head = head[int(rng.integers(len(head)))]
  return bytearray(head) + data[int(rng.integers(4, 40)) :]


def wrong_boxes(data: bytearray, rng) -> bytearray:
  """Sizes of boxes that lie."""
  names = [
    b'moov',
    b'trak',
    b'mdia',
    b'stbl',
    b'stts',
    b'stsz',
    b'stco',
    b'avcC',
    b'elst',
  ]
  for name in rng.permutation(names)[: int(rng.integers(1, 4))]:
    at = data.find(bytes(name))
    if at >= 4:
      size = int(rng.choice([0, 1, 7, 8, 1 << 16, (1 << 31) - 1, (1 << 32) - 1]))
      data[at - 4 : at] = struct.pack('>I', size)
  return data


def wrong_numbers(data: bytearray, rng) -> bytearray:
  """Counts, times and sizes in the tables that lie."""
  names = [
    b'stts',
    b'ctts',
    b'stsz',
    b'stsc',
    b'stco',
    b'mdhd',
    b'mvhd',
    b'tkhd',
    b'elst',
  ]
  for name in rng.permutation(names)[: int(rng.integers(1, 4))]:
    at = data.find(bytes(name))
    if at >= 0:
      k = at + 8 + 4 * int(rng.integers(0, 8))
      value = int(rng.choice([0, 1, 1 << 15, (1 << 31) - 1, 1 << 31, (1 << 32) - 1]))
      data[k : k + 4] = struct.pack('>I', value)
  return data


def wrong_size(data: bytearray, rng) -> bytearray:
  """Width and height in the head that the pictures do not have."""
  at = data.find(b'avc1', data.find(b'stsd'))
  if at >= 0:
    sizes = rng.choice([0, 1, 16, 4096, 65535], 2)
    data[at + 28 : at + 32] = struct.pack('>HH', *map(int, sizes))
  return data


def hole(data: bytearray, rng) -> bytearray:
  """A stretch of zeros."""
  at = int(rng.integers(0, len(data)))
  size = int(rng.integers(1, max(len(data) // 4, 2)))
  data[at : at + size] = bytes(len(data[at : at + size]))
  return data


def shuffled(data: bytearray, rng) -> bytearray:
  """Blocks in another order, as a broken disk has them."""
  blocks = [data[i : i + 4096] for i in range(0, len(data), 4096)]
  a, b = rng.integers(0, len(blocks), 2)
  blocks[a], blocks[b] = blocks[b], blocks[a]
  return bytearray(b''.join(blocks))


def twice(data: bytearray, rng) -> bytearray:
  return data + data


def noise(data: bytearray, rng) -> bytearray:
  return bytearray(rng.bytes(int(10 ** rng.uniform(0, 5))))


MUTATIONS: tuple[Callable, ...] = (
  flip_bits, flip_header, flip_pictures, truncate, wrong_head, wrong_boxes,
  wrong_numbers, wrong_size, hole, shuffled, twice, noise,
)  # fmt: skip


def _still(h: int, w: int, count: int) -> list[np.ndarray]:
  picture = cv2.resize(drawn.scene(0, 90, 160), (w, h))
  drawn.add_face(picture, 0, w / 2, h / 2, h / 4, 0.5)
  return [picture] * count


def no_pictures(path) -> None:
  """A video track without a picture in it."""
  with av.open(str(path), 'w', format='mp4') as box:
    video = box.add_stream('libx264', rate=25)
    video.width = video.height = 64
    video.pix_fmt = 'yuv420p'
    audio = box.add_stream('aac', rate=48000, layout='mono')
    drawn._write_sound(box, audio, drawn.clicks(1.0), 0.0, 48000)


def only_sound(path) -> None:
  with av.open(str(path), 'w', format='mp4') as box:
    audio = box.add_stream('aac', rate=48000, layout='mono')
    drawn._write_sound(box, audio, drawn.clicks(1.0), 0.0, 48000)


def one_pixel(path) -> None:
  frames = [np.full((1, 1, 3), 128, np.uint8)] * 60
  drawn.write(path, frames, pix_fmt='yuv444p', sound=drawn.clicks(2.4))


def eight_k(path) -> None:
  drawn.write(path, _still(4320, 7680, 1), sound=drawn.clicks(0.2))


def more_than_8k(path) -> None:
  drawn.write(path, _still(8448, 4096, 1), codec='mjpeg', pix_fmt='yuvj420p')


def one_a_second(path) -> None:
  drawn.write(path, _still(180, 320, 6), fps=1, sound=drawn.clicks(6.0))


def many_a_second(path) -> None:
  drawn.speaker(path, 60 / 25, fps=240)


def negative_times(path) -> None:
  times = np.arange(75) / 25 - 2.0
  _, sound = drawn.talk(75)
  drawn.write(path, _still(180, 320, 75), times=times, sound=sound, sound_start=-2.0)


def ten_tracks(path) -> None:
  drawn.speaker(path, 3.0, tracks=10)


def leaps(path) -> None:
  """Pictures hours apart."""
  times = np.cumsum(np.where(np.arange(60) % 20 == 19, 9000.0, 0.04))
  drawn.write(path, _still(180, 320, 60), times=times, sound=drawn.clicks(2.4))


EXTREMES: tuple[Callable, ...] = (
  no_pictures, only_sound, one_pixel, eight_k, more_than_8k, one_a_second,
  many_a_second, negative_times, ten_tracks, leaps,
)  # fmt: skip


def make(folder, base: pathlib.Path, count: int, seed: int = 0) -> list[pathlib.Path]:
  """Writes all extremes, then mutations of `base` in turn, `count` files in all."""
  folder = pathlib.Path(folder)
  folder.mkdir(parents=True, exist_ok=True)
  good = base.read_bytes()
  paths = []
  for i, extreme in enumerate(EXTREMES[:count]):
    path = folder / f'{i:03d}_{extreme.__name__}.mp4'
    extreme(path)
    paths.append(path)
  for i in range(len(paths), count):
    mutate = MUTATIONS[i % len(MUTATIONS)]
    path = folder / f'{i:03d}_{mutate.__name__}.mp4'
    path.write_bytes(mutate(bytearray(good), np.random.default_rng((seed, i))))
    paths.append(path)
  return paths


def main() -> int:
  base, folder, count = sys.argv[1:]
  print(len(make(folder, pathlib.Path(base), int(count))), 'files in', folder)
  return 0


if __name__ == '__main__':
  sys.exit(main())
