"""Shared inputs: the shipped portrait and voice, tiny random weights."""

import wave
from pathlib import Path

import jax
import numpy as np
import pytest

import vasa_jax
from vasa_jax.face.fit import fit_portrait
from vasa_jax.inference import bundle, models
from vasa_jax.inference.finding.portrait import Portrait, find_portrait, load_picture
from vasa_jax.inference.talking_face import TalkingFace
from vasa_jax.types import Motion

EXAMPLES = Path(vasa_jax.__file__).parent / 'examples'


@pytest.fixture(scope='session')
def portrait_path() -> Path:
  return EXAMPLES / 'portrait.jpg'


@pytest.fixture(scope='session')
def voice_path() -> Path:
  return EXAMPLES / 'voice.wav'


@pytest.fixture(scope='session')
def picture(portrait_path) -> np.ndarray:
  return load_picture(portrait_path)


@pytest.fixture(scope='session')
def sitter(picture) -> Portrait:
  """The shipped portrait at the size of the embedded weights."""
  return find_portrait(picture, 256)


@pytest.fixture(scope='session')
def fitted(sitter) -> tuple[np.ndarray, Motion]:
  """Its head `(1, v, 3)` and its own motion, of batch 1."""
  found = fit_portrait(sitter.points, sitter.irises[:, 0])
  motion = jax.tree.map(lambda x: np.asarray(x, np.float32)[None], found.motion)
  return np.float32(found.vertices)[None], motion


@pytest.fixture(scope='session')
def tiny_weights(tmp_path_factory) -> Path:
  """A weights folder of the tiny preset with random parameters."""
  folder = tmp_path_factory.mktemp('weights') / 'tiny'
  configs = models.preset('tiny')
  rng = np.random.default_rng(1)
  params = {
    part: jax.tree_util.tree_map_with_path(
      lambda keys, leaf: _random(rng, keys[-1].key, leaf.shape),
      models.abstract(part, config),
    )
    for part, config in configs.items()
  }
  made = bundle.Bundle(
    configs['face'], params['face'], configs['motion'], params['motion'], {'steps': 0}
  )
  bundle.save_bundle(folder, made)
  return folder


def _random(rng, name: str, shape) -> np.ndarray:
  """Like a fresh model, but drawn with numpy: nothing has to be compiled."""
  if name in ('scale', 'std', 'velocity'):
    return np.ones(shape, np.float32)
  if name == 'distance':
    return np.array([0, 1], np.float32)
  fan = max(1, int(np.prod(shape[:-1])))
  return (rng.normal(size=shape) / fan**0.5).astype(np.float32)


@pytest.fixture(scope='session')
def tiny_face(tiny_weights) -> TalkingFace:
  return TalkingFace.load(tiny_weights, batch=4)


def write_wav(path: Path, samples: np.ndarray, rate: int = 16_000) -> Path:
  """Writes `(n,)` or `(n, channels)` float samples as 16-bit WAV."""
  samples = np.atleast_2d(np.asarray(samples, np.float64).T).T
  with wave.open(str(path), 'wb') as file:
    file.setnchannels(samples.shape[1])
    file.setsampwidth(2)
    file.setframerate(rate)
    file.writeframes((np.clip(samples, -1, 1) * 32767).astype('<i2').tobytes())
  return path


@pytest.fixture(scope='session')
def wav():
  return write_wav


def tone(seconds: float, rate: int = 16_000, hz: float = 220.0) -> np.ndarray:
  return 0.3 * np.sin(2 * np.pi * hz * np.arange(round(seconds * rate)) / rate)


@pytest.fixture(scope='session')
def short_voice(tmp_path_factory) -> Path:
  """0.7 s of tone: 17.5 frames, so that the last one is only half covered."""
  return write_wav(tmp_path_factory.mktemp('voice') / 'short.wav', tone(0.7))


@pytest.fixture(scope='session', name='tone')
def tone_fixture():
  return tone
