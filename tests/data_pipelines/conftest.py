"""A small corpus drawn with numpy, not rendered: fast, and every value known."""

import dataclasses
import pathlib

import numpy as np
import pytest

from data_pipelines import builder, schema

PERSON_FRAMES = 12
SIZE = 16


def picture(person: int, frame: int) -> np.ndarray:
  """`(16, 16, 3)` uint8: red tells the person, green the frame."""
  out = np.zeros((SIZE, SIZE, 3), np.uint8)
  out[..., 0] = 20 + 20 * person
  out[..., 1] = 20 + 15 * frame
  out[..., 2] = 120
  return out


def make_clip(person: int, frames: int = PERSON_FRAMES, split: str = 'train'):
  """A clip whose labels tell the person and the frame."""
  rng = np.random.default_rng((person, frames))
  index = np.arange(frames, dtype=np.float32)
  pose = np.stack([np.rad2deg(index / 100)] + [np.full(frames, person)] * 4, 1)
  truth = schema.Truth(
    units=np.full((frames, 52), index[:, None] / 100, np.float32),
    eyes=rng.normal(size=(frames, 2)).astype(np.float32),
    body=np.full((frames, 3), index[:, None] / 200, np.float32),
    viseme=rng.integers(15, size=frames).astype(np.int32),
    phones=('sil', 'aa'),
    phone_times=np.array([(0, 0.1), (0.1, 0.4)], np.float32),
    text='Ah.',
    voice='formant:man',
    language='en',
    identity_vector=np.full(350, person, np.float32),
    shape=np.full(64, person, np.float32),
    points=np.full((frames, 384, 3), person, np.float16),
    light=np.zeros(45, np.float32),
    camera='{"fov": 24.0}',
    style='',
    worn='hair_short01 glasses',
    seed=person,
  )
  return schema.Clip(
    clip_id=f'{split}-{person}',
    identity=f'person-{person}',
    source='drawn',
    licence='CC0-1.0',
    frames=tuple(schema.encode_picture(picture(person, i)) for i in range(frames)),
    audio=np.repeat(np.arange(frames), 640).astype(np.int16),
    pose=pose.astype(np.float32),
    gaze=np.tile(np.array([3, -2], np.float32), (frames, 1)),
    distance=np.exp(index / 100).astype(np.float32),
    emotion=np.full((frames, 8), 0.125, np.float32),
    landmarks=np.full((frames, 468, 2), index[:, None, None] / 100, np.float32),
    visible=np.ones(frames, bool),
    truth=truth,
  )


def write_corpus(folder: pathlib.Path, clips, split: str = 'train') -> pathlib.Path:
  """Writes clips, or raw records, as one shard with its catalogue."""
  serialize = builder.serializer()
  records = [c if isinstance(c, bytes) else serialize(c) for c in clips]
  folder.mkdir(parents=True, exist_ok=True)
  builder.write_shard(builder.shard_path(folder, split, 0, 1), records)
  builder.write_catalogue(folder)
  return folder


@pytest.fixture(scope='session')
def corpus(tmp_path_factory) -> pathlib.Path:
  """Ten clips of ten people in split `train`."""
  folder = tmp_path_factory.mktemp('corpus')
  return write_corpus(folder, [make_clip(person) for person in range(10)])


@pytest.fixture(scope='session')
def drawn():
  """The functions of this file, for tests that draw clips of their own."""

  @dataclasses.dataclass(frozen=True)
  class Drawn:
    make_clip = staticmethod(make_clip)
    write_corpus = staticmethod(write_corpus)
    picture = staticmethod(picture)

  return Drawn()
