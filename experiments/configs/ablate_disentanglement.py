"""What l_consist and l_cross_id keep apart: the same net trained on with and without.

    CORPUS='--size 64 --supersample 4'
    python -m data_pipelines.synthetic.synthesize --clips 208 --stills 1 --frames 12 \
        --art 0 --plain $CORPUS --out corpus
    python -m data_pipelines.synthetic.oracle_set --identities 12 $CORPUS --out oracle
    python -m experiments.train --config experiments/configs/identity_judge.py \
        --workdir runs/identity --set records=corpus
    python -m experiments.identity_run runs/identity --out identity.npz
    python -m experiments.train --config experiments/configs/pose_small.py \
        --workdir runs/pose --set records=corpus
    export JAX_COMPILATION_CACHE_DIR=cache  # the runs below share one compilation
    python -m experiments.train --config experiments/configs/ablate_disentanglement.py \
        --workdir runs/base --set records=corpus judges.arcface=identity.npz \
        init_from=runs/pose "off=('consistency','identity')" steps=7350
    python -m experiments.sweep experiments/configs/ablate_disentanglement.py \
        --workdir runs/leak --set records=corpus judges.arcface=identity.npz \
        init_from=runs/base
    python -m experiments.oracle_table runs/leak --oracle oracle --base none --out table

Leaks can arise here: dynamics are learned through the pictures alone, by a net that
sees the whole picture as it is, and no template says what a pose does to a head. The
head pose is told by the labels, as in `paper`. Pixels of the portrait are moved, since
a net that paints all of them shows no face that a judge could read within CPU minutes.

Up to 9 steps a second on two CPU cores. After 7,350 steps of `base` (the figures of
docs/training.md) heads follow a quarter of the asked turn, and dynamics carry an eighth
of it. Then, in 600 steps, l_consist takes that eighth away (weight 0.3: a third of it,
1: two thirds, 3: all, at the price of blur) and l_cross_id brings the 128-d distance
under a stranger's motion down by 17 %.
"""

from experiments.ablation_run import AblationRun
from vasa_jax.face.config import FaceConfig, PixelPathConfig
from vasa_jax.face.losses import LossConfig


def get_config() -> AblationRun:
  return AblationRun(
    model=FaceConfig(
      size=64,
      patch=4,
      encoder_channels=(24, 24),
      volume_depth=4,
      volume_channels=16,
      volume_blocks=1,
      identity_stages=(1, 1),
      identity_width=16,
      identity_bottleneck=False,
      identity_channels=16,
      motion_size=64,
      motion_stages=(1, 1),
      motion_width=24,
      dyn_dim=64,
      embedding=16,
      warp_channels=(16,),
      warp_shape=(4, 8, 8),
      canonical_channels=(16,),
      decoder_channels=(32, 32),
      decoder_blocks=1,
      pixel_path=PixelPathConfig(
        prior_size=16, features=16, width=32, blocks=1, fine_width=12, prior=False
      ),
      pivot_depth=-0.4,
    ),
    # `pose` as small as `motion` in `lite`: with 1 its gradient (norm 100 to 400) takes
    # nearly all that `clip_norm` leaves.
    losses=LossConfig(
      pixel=1.0, gradient=0.5, perceptual=0.0, motion=0.0, hidden=0.0, pose=0.02,
      consistency=3.0, identity=0.2,
    ),
    steps=600,
    batch_size=4,
    drivers=2,
    learning_rate=5e-4,
    schedule='constant',
    beta2=0.98,
    warmup_steps=20,
    ema_decay=0.98,
    log_every=10,
    save_every=50,
    held_out=0,
    devices=1,
  )  # fmt: skip


def sweep():
  yield 'none', {'off': ('consistency', 'identity')}
  yield 'consist', {'off': ('identity',)}
  yield 'cross_id', {'off': ('consistency',)}
  yield 'both', {'off': ()}
  yield 'consist_03', {'off': ('identity',), 'losses.consistency': 0.3}
  yield 'consist_1', {'off': ('identity',), 'losses.consistency': 1.0}
