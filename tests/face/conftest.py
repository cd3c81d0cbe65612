"""One rendered batch and one set of parameters for all tests of the face model."""

import jax
import numpy as np
import pytest

from data_pipelines.pairs import centres_of
from data_pipelines.synthetic import shape
from data_pipelines.synthetic.drawing import render, scene
from data_pipelines.synthetic.filming import backdrop
from data_pipelines.synthetic.people import heads
from vasa_jax.face.autoencoder import init_params
from vasa_jax.face.config import tiny
from vasa_jax.face.prior import HeadTemplate
from vasa_jax.face.template import load_template

PEOPLE, DRIVERS, SIZE = 2, 2, 64


@pytest.fixture(scope='session')
def head():
  return load_template()


@pytest.fixture(scope='session')
def template(head):
  return HeadTemplate.of(head)


@pytest.fixture(scope='session')
def params():
  return init_params(tiny(), jax.random.key(0))


def _person(seed):
  """A source and two drivers of one person, with their labels."""
  rng = np.random.default_rng(seed)
  person = heads.sample_identity(seed)
  light = scene.sample_light(rng)
  renderer = render.Renderer(SIZE, 1)
  renderer.load(person, backdrop.sample_backdrop(rng, SIZE).picture)
  rows = []
  for _ in range(1 + DRIVERS):
    units = (rng.random(52) * (rng.random(52) < 0.15)).astype(np.float32)
    pose = rng.normal(size=6) * [0.25, 0.12, 0.1, 0.05, 0.02, 0.02]
    eyes = rng.normal(size=2) * 0.15
    frame = renderer.frame(units, pose, eyes, light)
    dyn = np.concatenate([units, eyes]).astype(np.float32)
    centres = centres_of(frame.landmarks[None])[0]
    rows.append((frame.picture, pose.astype(np.float32), dyn, frame.points, centres))
  columns = [np.stack(column) for column in zip(*rows, strict=True)]
  names = ('picture', 'pose', 'dyn', 'points', 'centres')
  batch = {f'source_{n}': c[0] for n, c in zip(names, columns, strict=True)}
  batch |= {f'driver_{n}': c[1:] for n, c in zip(names, columns, strict=True)}
  return batch | {'shape': shape.identity_shape(person)}


@pytest.fixture(scope='session')
def batches():
  """Two batches of two people, each a source and two drivers at 64 px."""
  people = [_person(seed) for seed in range(2 * PEOPLE)]
  return [
    {name: np.stack([person[name] for person in part]) for name in part[0]}
    for part in (people[:PEOPLE], people[PEOPLE:])
  ]
