"""Stage 1 as published: 512 px, about 180 M parameters, latents learned end to end.

    python -m experiments.train --config experiments/configs/face_paper.py \
        --workdir gs://BUCKET/face_paper --set records=/data/records

Not trained yet: the config fixes the network, MegaPortraits' optimiser (AdamW, betas
0.5 and 0.999, weight decay 0.01, cosine 2e-4 to 1e-6, batch 16, 300,000 steps; the same
for the critic; no limit of the gradient is named) and the losses of both papers. Those
that ask another net need its file: --set judges.vgg19=..., judges.vgg_face=...,
judges.arcface=..., judges.gaze=...; without one that loss is off, and the start says
so. The whole picture is trained, background too (MegaPortraits cuts it out). VASA-1
reports 7 days on 4 RTX A6000 (48 GB).
"""

from experiments.face_run import FaceRun
from vasa_jax.face.config import paper
from vasa_jax.face.losses import paper_losses


def get_config() -> FaceRun:
  return FaceRun(
    model=paper(),
    losses=paper_losses(),
    steps=300_000,
    batch_size=16,
    drivers=1,
    learning_rate=2e-4,
    final_lr_ratio=0.005,
    beta1=0.5,
    weight_decay=0.01,
    clip_norm=0.0,
    ema_decay=0.999,
    log_every=100,
    save_every=2000,
    preview_every=2000,
    eval_every=10_000,
  )
