"""The other side of `peer_ditto.py`: runs in an interpreter that has PyTorch.

Started by path with a checkout of Ditto as its argument; it needs torch and einops and
nothing of this project. It builds the motion generator with random weights, says what
it is in one JSON line, and answers every line on its input by one timed window of ten
steps.
"""

import json
import sys
import time

import torch
from torch.utils.flop_counter import FlopCounterMode

STEPS, FRAMES = 10, 80


def main() -> int:
  """Answers until its input ends."""
  source, _, threads = sys.argv[1:4]
  torch.set_num_threads(int(threads))
  torch.manual_seed(0)
  sys.path.insert(0, source)
  from core.models.modules.LMDM import LMDM

  net = LMDM(device='cpu').eval()
  first = torch.randn(1, 265)
  heard = torch.randn(1, FRAMES, 1059)
  with torch.inference_mode():
    with FlopCounterMode(display=False) as counter:
      net(torch.randn(1, FRAMES, 265), first, heard, torch.full((1,), 500))
    told = {
      'torch': torch.__version__,
      'frames': FRAMES,
      'evaluations': 2,
      'gflop': counter.get_total_flops() / 1e9,
      'parameters': sum(p.numel() for p in net.parameters()),
    }
    print(json.dumps(told), flush=True)
    for _ in sys.stdin:
      start = time.perf_counter()
      net.ddim_sample(first, heard, STEPS)
      print(json.dumps({'seconds': time.perf_counter() - start}), flush=True)
  return 0


if __name__ == '__main__':
  sys.exit(main())
