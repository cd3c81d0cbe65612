"""The head-pose net of learned latents, trained alone: what comes before stage 1.

    python -m experiments.train --config FILE --workdir runs/pose --set records=corpus
    python -m experiments.train --config ... --set init_from=runs/pose

MegaPortraits starts from a pose net that knows poses. Here it learns them from the
corpus's labels, much faster than as a term of stage 1, where the generator is
paid for in every step; until the poses are right, dynamics have to carry them. The
checkpoint holds the whole model, all else as it was initialised.
"""

import dataclasses

import jax
import jax.numpy as jnp
import numpy as np

from experiments.identity_run import Draws, read_people
from vasa_jax.face.autoencoder import FaceModel, init_params
from vasa_jax.face.config import FaceConfig
from vasa_jax.face.losses import pose_l2
from vasa_jax.training.config import RunConfig
from vasa_jax.training.job import Job


@dataclasses.dataclass(frozen=True, kw_only=True)
class PoseRun(RunConfig):
  """Settings of the pose net's training.

  Attributes:
    model: the face model that will start from it; its latents are learned.
    records: a rendered corpus.
    held_out: people at the corpus's end that are kept for the evaluation.
  """

  model: FaceConfig
  records: str = 'corpus'
  held_out: int = 16

  def job(self) -> Job:
    """The functions of the training engine."""
    people = read_people(self.records)
    known = len(people.shape) - self.held_out
    model = FaceModel(self.model)

    def read(params, picture):
      picture = picture.astype(jnp.float32) / 255
      return model.apply({'params': params}, picture, method='motion').z_pose

    def loss(params, batch, key):
      del key
      return pose_l2(read(params, batch['picture']), batch['pose']), {}

    def evaluate(params):
      picture = people.picture[known:].reshape(-1, *people.picture.shape[2:])
      found = np.asarray(jax.jit(read)(params, picture))
      error = np.abs(found - people.pose[known:].reshape(-1, 6))[:, :3].mean(0)
      names = ('yaw_error', 'pitch_error', 'roll_error')
      return dict(zip(names, np.degrees(error).tolist(), strict=True))

    def batches(state, host, hosts):
      made = Draws(people, known, self.batch_size // hosts, self.seed + host)
      if state is not None:
        made.set_state(state)
      return made

    return Job(
      init=lambda key: init_params(self.model, key),
      loss=loss, batches=batches, evaluate=evaluate,
    )  # fmt: skip
