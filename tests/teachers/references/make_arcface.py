"""Writes arcface.npz and two checkpoints: what PyTorch makes of a small random net.

    python tests/teachers/references/make_arcface.py   (needs torch; tests do not)

The net is the published layout (`iresnet`), narrow; its statistics are random too, so
that every array of a state dict matters.
"""

import pathlib

import numpy as np
import torch
from torch import nn

STAGES, WIDTHS, EMBEDDING = (1, 2, 1, 1), (4, 6, 8, 10), 12
HERE = pathlib.Path(__file__).parent


class Block(nn.Module):
  def __init__(self, inside, features, stride):
    super().__init__()
    self.bn1 = nn.BatchNorm2d(inside)
    self.conv1 = nn.Conv2d(inside, features, 3, 1, 1, bias=False)
    self.bn2 = nn.BatchNorm2d(features)
    self.prelu = nn.PReLU(features)
    self.conv2 = nn.Conv2d(features, features, 3, stride, 1, bias=False)
    self.bn3 = nn.BatchNorm2d(features)
    self.downsample = None
    if stride > 1 or inside != features:
      self.downsample = nn.Sequential(
        nn.Conv2d(inside, features, 1, stride, bias=False), nn.BatchNorm2d(features)
      )

  def forward(self, x):
    y = self.prelu(self.bn2(self.conv1(self.bn1(x))))
    y = self.bn3(self.conv2(y))
    return y + (x if self.downsample is None else self.downsample(x))


class IResNet(nn.Module):
  def __init__(self):
    super().__init__()
    self.conv1 = nn.Conv2d(3, WIDTHS[0], 3, 1, 1, bias=False)
    self.bn1 = nn.BatchNorm2d(WIDTHS[0])
    self.prelu = nn.PReLU(WIDTHS[0])
    inside = WIDTHS[0]
    for i, (blocks, width) in enumerate(zip(STAGES, WIDTHS, strict=True), 1):
      stage = [Block(inside, width, 2)]
      stage += [Block(width, width, 1) for _ in range(blocks - 1)]
      setattr(self, f'layer{i}', nn.Sequential(*stage))
      inside = width
    self.bn2 = nn.BatchNorm2d(inside)
    self.fc = nn.Linear(inside * 7 * 7, EMBEDDING)
    self.features = nn.BatchNorm1d(EMBEDDING)

  def forward(self, x):
    x = self.prelu(self.bn1(self.conv1(x)))
    for i in range(1, 5):
      x = getattr(self, f'layer{i}')(x)
    x = self.features(self.fc(torch.flatten(self.bn2(x), 1)))
    return x / x.norm(dim=1, keepdim=True)


def main():
  torch.manual_seed(0)
  net = IResNet().eval()
  with torch.no_grad():
    for name, value in net.state_dict().items():
      if name.endswith('running_var'):
        value.uniform_(0.5, 2.0)
      elif name.endswith(('running_mean', 'bias')):
        value.normal_(0, 0.3)
      elif value.dim() == 1 and value.is_floating_point():
        value.uniform_(0.2, 1.5)
  picture = np.random.default_rng(0).random((2, 112, 112, 3), np.float32)
  with torch.no_grad():
    out = net(torch.from_numpy(2 * picture - 1).permute(0, 3, 1, 2)).numpy()
  state = {k: v.numpy() for k, v in net.state_dict().items()}
  np.savez_compressed(HERE / 'arcface.npz', seed=0, out=out, **state)
  small = {
    'epoch': 3,
    'state_dict': {
      'weight': torch.arange(6.0).reshape(2, 3).t(),  # not contiguous
      'half': torch.tensor([1.5, -2.0], dtype=torch.float16),
      'brain': torch.tensor([0.5, 3.0], dtype=torch.bfloat16),
      'count': torch.tensor(7),
      'tail': torch.arange(10)[4:7],  # starts inside its storage
    },
    'param': nn.Parameter(torch.ones(2)),
  }
  torch.save(small, HERE / 'small_zip.pt')
  torch.save(small, HERE / 'small_legacy.pt', _use_new_zipfile_serialization=False)
  torch.save({'net': nn.ReLU()}, HERE / 'module.pt')


if __name__ == '__main__':
  main()
