"""Stage 1: the face model, from rendered records or straight from the renderer."""

import dataclasses
import functools
import itertools
from pathlib import Path
from typing import Any, Literal

import jax
import jax.numpy as jnp
import numpy as np

from experiments.face_judges import JudgeFiles, load_judges, why_off
from vasa_jax.face.config import FaceConfig, lite
from vasa_jax.face.losses import LossConfig
from vasa_jax.face.step import init_training, make_loss, model_params
from vasa_jax.inference.bundle import load_bundle
from vasa_jax.metrics.adapters import bare_warp, face_adapter
from vasa_jax.metrics.oracle import OraclePair, copy_source, score_pairs
from vasa_jax.training.checkpoint import check_same_model, restore_params
from vasa_jax.training.config import RunConfig
from vasa_jax.training.job import Job


@dataclasses.dataclass(frozen=True, kw_only=True)
class FaceRun(RunConfig):
  """Settings of a stage 1 run.

  Attributes:
    model: the face model.
    losses: weights of the terms.
    source: 'records' reads `records`; 'live' draws from the renderer, without files.
    records: folder that `data_pipelines.synthetic.synthesize` wrote or, for models with
      learned latents, `data_pipelines.prepare`.
    drivers: driving frames for each source; `batch_size` counts sources.
    augment: change the colours of source and drivers together, at random.
    workers: loader processes, or rendering processes of 'live' (at least 1 there).
    pool: people that 'live' holds in memory; `pool_start` of them before the first
    step.
    perceptual_weights: npz of the VGG16 trunk; '' asks the cache of `fetch_weights`.
    judges: files of the other nets that the losses ask.
    init_from: workdir of another run, or weights folder, whose parameters are the
      start; `embedded` is the shipped one; '' starts afresh.
    held_out: people of the test split that the evaluation draws, 3 frames each; 0
      evaluates nothing.
  """

  model: FaceConfig = dataclasses.field(default_factory=lite)
  losses: LossConfig = dataclasses.field(default_factory=LossConfig)
  source: Literal['records', 'live'] = 'records'
  records: str = 'corpus'
  drivers: int = 2
  augment: bool = True
  workers: int = 0
  pool: int = 256
  pool_start: int = 64
  perceptual_weights: str = ''
  judges: JudgeFiles = JudgeFiles()
  init_from: str = ''
  held_out: int = 6

  def job(self) -> Job:
    """The five functions of the training engine."""
    pairs = functools.lru_cache(maxsize=1)(
      functools.partial(held_out_pairs, self.held_out, self.model.size)
    )
    judges = load_judges(self.losses, self.judges, self.perceptual_weights)
    for line in why_off(self.model, self.losses, judges):
      print(line)
    job = Job(
      init=self._init,
      loss=make_loss(self.model, self.losses),
      frozen=(judges,),
      batches=self._batches,
    )
    if not self.held_out:
      return job
    return dataclasses.replace(
      job,
      preview=lambda params: {'held_out': preview(self.model, params, pairs())},
      evaluate=lambda params: evaluate(self.model, params, pairs()),
    )

  def _init(self, key):
    made = init_training(self.model, self.losses, key)
    if not self.init_from:
      return made
    params = model_params(start_params(self.init_from))
    check_same_model(self.init_from, params, model_params(made))
    return made | params  # a critic starts anew

  def _batches(self, state: Any, host: int, hosts: int):
    if self.source == 'live':
      from data_pipelines.synthetic.live import LivePairs

      batches = LivePairs(
        self.seed,
        self.model.size,
        max(self.workers, 1),
        batch=self.batch_size // hosts,
        drivers=self.drivers,
        augment=self.augment,
        pool=self.pool,
        host=host,
        hosts=hosts,
      )
      if state is not None:
        batches.set_state(state)
      batches.fill(self.pool_start)
      return batches
    from data_pipelines.loader import face_pairs

    batches = face_pairs(
      self.records,
      self.batch_size,
      self.drivers,
      self.seed,
      augment=self.augment,
      size=self.model.size,
      truth=self.model.anchored or self.model.pixel_path is not None,
      host=host,
      hosts=hosts,
      workers=self.workers,
    )
    if state is not None:
      batches.set_state(state)
    return batches


def start_params(place: str) -> Any:
  """Parameters of a run's newest checkpoint, or of a weights folder."""
  if place == 'embedded':
    return load_bundle().face_params
  if (Path(place) / 'face.safetensors').is_file():
    return load_bundle(place).face_params
  return restore_params(place)


def held_out_pairs(people: int, size: int) -> list[OraclePair]:
  """Self pairs of talking clips of people that are never trained on."""
  from experiments.held_out import talking_pairs

  return list(talking_pairs(people, frames=3, size=size, seed=1))


def evaluate(
  config: FaceConfig, params: Any, pairs: list[OraclePair]
) -> dict[str, float]:
  """Mean PSNR, SSIM and L1 on held-out pairs, and of two floors.

  The floors do no learned work: `copy_` shows the portrait, `warp_` moves its pixels
  along the head template's flow.
  """
  systems = {'': face_adapter(config, params), 'copy_': copy_source()}
  systems['warp_'] = bare_warp()
  rows = score_pairs(systems, pairs, batch=4)
  figures = {}
  for name, measure in itertools.product(systems, ('psnr', 'ssim', 'l1')):
    values = [row[measure] for row in rows if row['system'] == name]
    figures[name + measure] = float(np.mean(values))
  return figures


def preview(config: FaceConfig, params: Any, pairs: list[OraclePair]) -> np.ndarray:
  """Contact sheet: portrait, truth, picture, for one frame of each held-out person."""
  face = face_adapter(config, params)
  rows = []
  for pair in pairs[1::3]:

    def batch(x):
      return jnp.asarray(x)[None]

    source = jax.tree.map(batch, pair.source_motion)
    code = face.encode(batch(pair.source) / 255, source, batch(pair.shape))
    motion = jax.tree.map(batch, pair.driver_motion)
    made = np.asarray(face.decode(code, motion)[0])
    made = np.round(made.clip(0, 1) * 255).astype(np.uint8)
    rows.append(np.concatenate([pair.source, pair.driver, made], 1))
  return np.concatenate(rows, 0)
