"""The other side of `peer_liveportrait.py`: runs in an interpreter that has PyTorch.

Started by path with a checkout of LivePortrait as its argument; it needs torch and
PyYAML and nothing of this project. It builds the networks that make a frame of an
audio-driven video (stitching, warping, generator) with random weights, says what they
are in one JSON line, and then answers every line on its input by one timed frame. It
sleeps while it waits, so that the two sides never share the machine.
"""

import json
import sys
import time

import torch
import yaml
from torch.utils.flop_counter import FlopCounterMode

KEYPOINTS = 21


def build(source: str, device: torch.device, dtype: torch.dtype):
  """A function that makes one frame."""
  sys.path.insert(0, source)
  from src.modules.spade_generator import SPADEDecoder
  from src.modules.stitching_retargeting_network import StitchingRetargetingNetwork
  from src.modules.warping_network import WarpingNetwork

  with open(f'{source}/src/config/models.yaml') as file:
    sizes = yaml.safe_load(file)['model_params']
  nets = [
    StitchingRetargetingNetwork(
      **sizes['stitching_retargeting_module_params']['stitching']
    ),
    WarpingNetwork(**sizes['warping_module_params']),
    SPADEDecoder(**sizes['spade_generator_params']),
  ]
  stitch, warp, generate = (net.eval().to(device, dtype) for net in nets)
  volume = torch.randn(1, 32, 16, 64, 64, device=device, dtype=dtype)
  source_points, points = (
    0.1 * torch.randn(1, KEYPOINTS, 3, device=device, dtype=dtype) for _ in range(2)
  )

  def frame():
    stitch(torch.cat([source_points.flatten(1), points.flatten(1)], 1))
    warped = warp(volume, kp_source=source_points, kp_driving=points)['out']
    return generate(feature=warped)

  weights = sum(p.numel() for net in nets for p in net.parameters())
  return frame, weights


def main() -> int:
  """Answers until its input ends."""
  source, dtype_name, threads = sys.argv[1:4]
  torch.set_num_threads(int(threads))
  torch.manual_seed(0)
  torch.set_grad_enabled(False)
  device = torch.device('cuda' if torch.cuda.is_available() else 'cpu')

  def wait():
    if device.type == 'cuda':
      torch.cuda.synchronize()

  frame, weights = build(source, device, getattr(torch, dtype_name))
  with torch.inference_mode():
    with FlopCounterMode(display=False) as counter:
      shape = list(frame().shape)
    told = {
      'torch': torch.__version__,
      'peer_device': device.type,
      'frame': shape,
      'gflop': counter.get_total_flops() / 1e9,
      'parameters': weights,
    }
    print(json.dumps(told), flush=True)
    for _ in sys.stdin:
      wait()
      start = time.perf_counter()
      frame()
      wait()
      print(json.dumps({'seconds': time.perf_counter() - start}), flush=True)
  return 0


if __name__ == '__main__':
  sys.exit(main())
