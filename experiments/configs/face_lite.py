"""Stage 1 of the embedded weights: 256 px, rendered stills.

    python -m experiments.fetch_weights vgg16
    python -m data_pipelines.synthetic.synthesize --clips 720 --size 256 --stills 1 \
        --frames 16 --seed 8 --out corpus --workers 2
    python -m experiments.train --config experiments/configs/face_lite.py \
        --workdir runs/face_lite --set records=corpus

On two CPU cores about one step (2 portraits, 4 drivers) a second; what a given number
of steps reached is in `vasa_jax/weights/MODEL_CARD.md`. The geometric prior starts it
near 22 dB; held-out talking heads are to end above 24 dB.
"""

from experiments.face_run import FaceRun
from vasa_jax.face.config import lite


def get_config() -> FaceRun:
  return FaceRun(
    model=lite(),
    steps=20_000,
    minutes=60.0,
    batch_size=2,
    drivers=2,
    learning_rate=1e-3,
    beta2=0.98,
    warmup_steps=50,
    ema_decay=0.995,
    log_every=50,
    save_every=250,
    preview_every=500,
    eval_every=500,
    devices=1,
  )
