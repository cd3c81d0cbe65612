"""Videos that are drawn, and eyes that see what was drawn: fast, and all is known.

A face is a coloured block with a dark mouth on grey noise; its colour says who it is. A
row of black and white cells says at which frame it was drawn. Also run as a program, by
tests that need a process of its own: `drawn_videos.py FOLDER OUT WORKERS [slow|beam]`.
"""

import fractions
import pathlib
import sys
import time
import types

import av
import cv2
import numpy as np

RATE = 48_000
CELLS = 12
PEOPLE = ((230, 40, 60), (60, 40, 230), (230, 40, 230))
_LINES = np.arange(256)


def cells(picture: np.ndarray, number: int) -> None:
  """Writes a number into the lowest eighth of a picture, in place."""
  h, w = picture.shape[:2]
  row = picture[h - h // 8 :]
  for k in range(CELLS):
    row[:, k * w // CELLS : (k + 1) * w // CELLS] = 235 if number >> k & 1 else 16


def read_cells(y: np.ndarray) -> int:
  """The number in a brightness plane."""
  h, w = y.shape
  row = y[h - h // 16].astype(int)
  return sum(int(row[(2 * k + 1) * w // (2 * CELLS)] > 128) << k for k in range(CELLS))


def scene(seed: int, h: int, w: int) -> np.ndarray:
  """`(h, w, 3)` uint8 background."""
  rng = np.random.default_rng(seed)
  grey = rng.integers(70, 190, (9, 16)).astype(np.uint8)
  return np.repeat(cv2.resize(grey, (w, h))[..., None], 3, 2)


def add_face(picture, person: int, x: float, y: float, height: float, mouth: float):
  """Draws a face; `height` from brow to chin in px, `mouth` 0..1."""
  half = round(0.4 * height)
  x, y, h = round(x), round(y), round(height / 2)
  cv2.rectangle(picture, (x - half, y - h), (x + half, y + h), PEOPLE[person], -1)
  lips = round(1 + 0.15 * height * mouth)
  cv2.rectangle(
    picture, (x - half // 2, y + h // 2), (x + half // 2, y + h // 2 + lips),
    (20, 20, 20), -1,
  )  # fmt: skip


def talk(frames: int, seed: int = 0, rate: int = RATE, fps: float = 25.0):
  """`(frames,)` mouth opening 0..1 and float32 sound that is as loud."""
  rng = np.random.default_rng(seed)
  knots = rng.uniform(0, 1, frames // 3 + 3)
  at = np.arange(frames) / 3
  mouth = np.interp(at, np.arange(len(knots)), knots)
  t = np.arange(round(frames * rate / fps)) / rate
  level = np.interp(t * fps - 0.5, np.arange(frames), mouth)
  return mouth, (0.5 * level * np.sin(2 * np.pi * 180 * t)).astype(np.float32)


def clicks(seconds: float, every: float = 0.5, rate: int = RATE) -> np.ndarray:
  """Float32 sound with 2 ms bursts at every / 2, 3 every / 2, ..."""
  t = np.arange(round(seconds * rate)) / rate
  near = np.abs((t % every) - every / 2) < 0.001
  return (0.8 * near * np.sin(2 * np.pi * 3000 * t)).astype(np.float32)


def write(
  path, frames, times=None, sound=None, sound_start=0.0, fps=25, codec='libx264',
  tracks=1, rate=RATE, audio_codec=None, keyframes=12, pix_fmt='yuv420p', **context,
):  # fmt: skip
  """Writes a file; `times` in seconds for each frame, else `fps`."""
  path = pathlib.Path(path)
  options = {'preset': 'ultrafast', 'threads': '1'} if codec == 'libx264' else {}
  with av.open(str(path), 'w') as box:
    video = box.add_stream(codec, rate=fps, options=options)
    video.height, video.width = frames[0].shape[:2]
    video.pix_fmt = pix_fmt
    video.codec_context.gop_size = keyframes
    tick = fractions.Fraction(1, 90_000)
    video.codec_context.time_base = tick
    for name, value in context.items():
      setattr(video.codec_context, name, value)
    kind = audio_codec or ('aac' if path.suffix == '.mp4' else 'pcm_s16le')
    audios = []
    for _ in range(tracks if sound is not None else 0):
      audios.append(box.add_stream(kind, rate=rate, layout='mono'))
    for i, picture in enumerate(frames):
      frame = av.VideoFrame.from_ndarray(picture, format='rgb24')
      at = i / fps if times is None else times[i]
      frame.pts, frame.time_base = round(at * 90_000), tick
      box.mux(video.encode(frame))
    box.mux(video.encode(None))
    for audio in audios:
      _write_sound(box, audio, sound, sound_start, rate)
  return path


def _write_sound(box, audio, sound, start: float, rate: int) -> None:
  for k in range(0, len(sound), 1024):
    part = sound[k : k + 1024]
    if audio.codec_context.name == 'aac':
      frame = av.AudioFrame.from_ndarray(part[None], format='fltp', layout='mono')
    else:
      part = (part * 32767).astype(np.int16)
      frame = av.AudioFrame.from_ndarray(part[None], format='s16', layout='mono')
    frame.sample_rate, frame.time_base = rate, fractions.Fraction(1, rate)
    frame.pts = k + round(start * rate)
    box.mux(audio.encode(frame))
  box.mux(audio.encode(None))


def speaker(
  path, seconds: float, person: int = 0, seed: int = 0, size=(180, 320), height=48.0,
  late: float = 0.0, **more,
):  # fmt: skip
  """A file with one person who talks."""
  count = round(seconds * 25)
  mouth, sound = talk(count, seed)
  back = scene(seed, *size)
  frames = []
  for i in range(count):
    picture = back.copy()
    x = size[1] / 2 + 3 * np.sin(i / 9 + seed)
    add_face(picture, person, x, size[0] / 2 + 2 * np.cos(i / 7), height, mouth[i])
    frames.append(picture)
  return write(path, frames, sound=sound, sound_start=late, **more)


# -- eyes ------------------------------------------------------------------------------


def _blocks(picture: np.ndarray) -> np.ndarray:
  signed = picture.astype(np.int16)
  mask = np.maximum(signed[..., 0], signed[..., 2]) - signed[..., 1] > 60
  count, _, stats, _ = cv2.connectedComponentsWithStats(mask.astype(np.uint8))
  return stats[1:count][stats[1:count, 4] > 30].astype(float)


def faces(picture: np.ndarray) -> list:
  found = []
  for x, y, w, h, _ in sorted(_blocks(picture).tolist(), key=lambda b: -b[3]):
    box = np.array([x, y, x + w, y + h])
    found.append(types.SimpleNamespace(box=box, score=0.9, points=np.zeros((6, 2))))
  return found


def mesh(picture: np.ndarray, box: np.ndarray):
  x0, y0, x1, y1 = box
  points = np.zeros((468, 3))
  points[:, 0] = np.linspace(x0, x1, 468)
  points[:, 1] = np.linspace(y0, y1, 468)
  points[[105, 334], :2] = (x0, y0), (x1, y0)
  points[152, :2] = ((x0 + x1) / 2, y1)
  return types.SimpleNamespace(points=points, score=0.9)


def follow(picture: np.ndarray, before):
  return None


def labels(crops: np.ndarray, audio):
  t, s = crops.shape[:2]
  middle = crops[:, :, s // 2].astype(int)
  dark = (middle.max(-1) < 60).sum(1) / s
  found = [len(_blocks(crop)) > 0 for crop in crops]
  zeros = np.zeros((t, 8), np.float32)
  emotion = zeros + 0.125
  return types.SimpleNamespace(
    pose=zeros[:, :5], gaze=zeros[:, :2], distance=np.ones(t, np.float32),
    emotion=emotion, landmarks=np.zeros((t, 0, 2), np.float32),
    visible=np.array(found), mouth_open=dark, eye_open=zeros[:, :2],
  )  # fmt: skip


def describe(crop: np.ndarray):
  boxes = _blocks(crop)
  if not len(boxes):
    return None
  x, y, w, h, _ = map(int, max(boxes.tolist(), key=lambda b: b[4]))
  part = crop[y : y + h // 2, x : x + w].reshape(-1, 3).astype(float)
  colour = np.median(part, 0) - np.array([90, 40, 90])
  return colour / np.linalg.norm(colour)


def speech(audio: np.ndarray) -> float:
  return float(np.abs(audio.astype(float)).mean() > 100)


def sharpness(crop: np.ndarray) -> float:
  return 0.5


def eyes():
  from data_pipelines.ingest.eyes import Eyes

  return Eyes(faces, mesh, follow, labels, describe, speech, sharpness)


def slow_eyes():
  """The same, in no hurry: there is time to kill them."""

  def slowly(picture):
    time.sleep(0.05)
    return faces(picture)

  return eyes()._replace(faces=slowly)


def main() -> int:
  from data_pipelines import prepare
  from data_pipelines.ingest.config import Config
  from data_pipelines.ingest.inputs import find_videos

  folder, out, workers, *how = sys.argv[1:]
  sources = find_videos([folder])
  config = Config(size=64, min_sharpness=0.0, max_seconds=4.0)
  work = prepare.Work(int(workers))
  if how == ['beam']:
    from apache_beam.options.pipeline_options import PipelineOptions

    from data_pipelines.ingest import beam

    order = beam.Order(out, config, work=work, eyes=eyes)
    for _ in range(2):  # the second time nothing is left to do
      beam.make(sources, order, PipelineOptions(['--runner=BundleBasedDirectRunner']))
    return 0
  prepare.prepare(sources, out, config, work=work, eyes=slow_eyes if how else eyes)
  return 0


if __name__ == '__main__':
  sys.exit(main())
