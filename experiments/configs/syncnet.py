"""Our own small SyncNet (`vasa_jax/teachers/lipsync.py`), on rendered talk.

    python -m data_pipelines.synthetic.synthesize --clips 208 --size 128 \
        --supersample 1 --out corpus --seed 11
    python -m experiments.train --config experiments/configs/syncnet.py \
        --workdir runs/sync --set records=corpus

194 of these clips talk; minutes on two CPU cores. All offsets of up to 12 frames that
were planted in 60 clips of the test split were found exactly.
"""

from experiments.syncnet_run import SyncRun


def get_config() -> SyncRun:
  return SyncRun(
    steps=700,
    batch_size=12,
    learning_rate=2e-3,
    beta2=0.99,
    warmup_steps=30,
    weight_decay=0.01,
    ema_decay=0.99,
    log_every=25,
    save_every=100,
    eval_every=0,
    devices=1,
  )
