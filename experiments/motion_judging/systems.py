"""What is judged: the weights' own motion model, and what it has to beat."""

from collections.abc import Sequence
from typing import Any, NamedTuple

import numpy as np

from experiments.motion_judging.trials import Act
from vasa_jax.errors import UsageError, UserError
from vasa_jax.types import Controls

SEARCHED = 1000  # clips, some two hours


class System(NamedTuple):
  """A name for the table, and a function `(features, controls, seed) -> (t, 60)`.

  `obeys`: it listens to controls and seeds; else it is not asked to.
  """

  name: str
  act: Act
  obeys: bool = True


def of_generator(
  name: str, generator: Any, obeys: bool = True, **settings: Any
) -> System:
  """A system of anything with `generate(features, controls, key, ...) -> Motion`.

  Args:
    settings: steps and guidance; None is the generator's own.
  """
  given = {key: value for key, value in settings.items() if value is not None}

  def act(features: np.ndarray, controls: Controls, seed: int) -> np.ndarray:
    made = generator.generate(features, controls, seed, **given)
    return np.concatenate([made.z_pose, made.z_dyn], -1)

  return System(name, act, obeys)


def model(bundle: Any, name: str = 'model', **settings: Any) -> System:
  """The motion model of a weights folder.

  Raises:
    UserError: its latents have no names, so that nothing can be read from them.
  """
  from vasa_jax.motion.generate import MotionGenerator

  if not bundle.motion_config.anchored:
    raise UserError(
      f'{bundle.name}: what these latents mean is not known (not anchored); render its '
      'videos and give them to experiments.evaluate'
    )
  generator = MotionGenerator(bundle.motion_config, bundle.motion_params)
  return of_generator(name, generator, **settings)


def untrained(bundle: Any, path: str, front_end: str) -> list[System]:
  """Mean pose and retrieval, from the cache that a model was trained on.

  Args:
    path: of the cache. Retrieval searches its first `SEARCHED` clips that are not held
      out.

  Raises:
    UserError: it cannot be read, or does not fit the model.
  """
  from data_pipelines.motion_cache import read_cache
  from vasa_jax.motion.baselines import MeanMotion, NearestMotion

  cache, config = read_cache(path), bundle.motion_config
  sizes = cache.feature_dim, cache.motion_dim
  if cache.front_end != front_end or sizes != (config.audio_dim, config.motion_dim):
    raise UserError(f'{path} holds other features or motion than {bundle.name} knows')
  stats = cache.moments().statistics()
  clips = [cache.clip(i) for i in np.flatnonzero(~cache.held_out)[:SEARCHED]]
  nearest = NearestMotion(
    config,
    np.concatenate([clip.features for clip in clips]),
    np.concatenate([clip.motion for clip in clips]),
    np.cumsum([len(clip.motion) for clip in clips]),
  )
  return [
    of_generator('mean pose', MeanMotion(config, stats), obeys=False),
    of_generator('retrieval', nearest, obeys=False),
  ]


def trained(given: Sequence[str], **settings: Any) -> list[System]:
  """Other weights to beat, from `NAME=DIR`: a regressor, a flow, the last version.

  Raises:
    UsageError: one is written otherwise.
  """
  from vasa_jax.inference.bundle import load_bundle

  found = []
  for text in given:
    name, equals, folder = text.partition('=')
    if not equals or not name or not folder:
      raise UsageError(f'--against {text}: write NAME=DIR')
    bundle = load_bundle(None if folder == 'embedded' else folder)
    found.append(model(bundle, name, **settings))
  return found
