"""Writes resnet.npz: what PyTorch makes of two small random nets of published layouts.

    python tests/teachers/references/make_resnet.py   (needs torch; tests do not)

A bottleneck ResNet under the heads of L2CS-Net, and under those of Deep3DFaceRecon. All
statistics are random too, so that every array of a state dict matters.
"""

import pathlib

import numpy as np
import torch
from torch import nn

STAGES, WIDTH, BINS = (1, 2, 1, 1), 2, 6
HERE = pathlib.Path(__file__).parent


class Bottleneck(nn.Module):
  def __init__(self, inside, width, stride, down):
    super().__init__()
    self.conv1 = nn.Conv2d(inside, width, 1, bias=False)
    self.bn1 = nn.BatchNorm2d(width)
    self.conv2 = nn.Conv2d(width, width, 3, stride, 1, bias=False)
    self.bn2 = nn.BatchNorm2d(width)
    self.conv3 = nn.Conv2d(width, 4 * width, 1, bias=False)
    self.bn3 = nn.BatchNorm2d(4 * width)
    self.downsample = None
    if down:
      self.downsample = nn.Sequential(
        nn.Conv2d(inside, 4 * width, 1, stride, bias=False), nn.BatchNorm2d(4 * width)
      )

  def forward(self, x):
    y = torch.relu(self.bn1(self.conv1(x)))
    y = torch.relu(self.bn2(self.conv2(y)))
    y = self.bn3(self.conv3(y))
    return torch.relu(y + (x if self.downsample is None else self.downsample(x)))


class Trunk(nn.Module):
  def __init__(self):
    super().__init__()
    self.conv1 = nn.Conv2d(3, WIDTH, 7, 2, 3, bias=False)
    self.bn1 = nn.BatchNorm2d(WIDTH)
    inside = WIDTH
    for i, blocks in enumerate(STAGES):
      width, stride = WIDTH * 2**i, 2 if i else 1
      stage = [Bottleneck(inside, width, stride, True)]
      inside = 4 * width
      stage += [Bottleneck(inside, width, 1, False) for _ in range(blocks - 1)]
      setattr(self, f'layer{i + 1}', nn.Sequential(*stage))
    self.inside = inside

  def features(self, x):
    x = torch.relu(self.bn1(self.conv1(x)))
    x = nn.functional.max_pool2d(x, 3, 2, 1)
    for i in range(1, 5):
      x = getattr(self, f'layer{i}')(x)
    return x.mean((2, 3))


class L2CS(Trunk):
  def __init__(self):
    super().__init__()
    self.fc_yaw_gaze = nn.Linear(self.inside, BINS)
    self.fc_pitch_gaze = nn.Linear(self.inside, BINS)

  def forward(self, x):
    mean, std = (torch.tensor(v)[:, None, None] for v in (
      (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
    ))  # fmt: skip
    x = self.features((x - mean) / std)
    heads = (self.fc_yaw_gaze(x), self.fc_pitch_gaze(x))
    index = torch.arange(BINS, dtype=torch.float32)
    return torch.stack(
      [(torch.softmax(h, 1) * index).sum(1) * 4 - 2 * BINS for h in heads], 1
    )


class Recon(nn.Module):
  def __init__(self):
    super().__init__()
    self.backbone = Trunk()
    sizes = (80, 64, 80, 3, 27, 2, 1)
    inside = self.backbone.inside
    self.final_layers = nn.ModuleList([nn.Conv2d(inside, n, 1) for n in sizes])

  def forward(self, x):
    x = self.backbone.features(x)[:, :, None, None]
    return self.final_layers[3](x).flatten(1)


def randomised(net):
  with torch.no_grad():
    for name, value in net.state_dict().items():
      if name.endswith('running_var'):
        value.uniform_(0.5, 2.0)
      elif name.endswith('num_batches_tracked'):
        continue
      elif value.ndim == 1:
        value.normal_(0.2, 0.3)
      else:
        value.normal_(0, 1.5 / np.sqrt(value[0].numel()))
  return net.eval()


def main():
  torch.manual_seed(0)
  picture = np.random.default_rng(0).random((2, 96, 96, 3), np.float32)
  found = {}
  for name, net in (('l2cs', L2CS()), ('recon', Recon())):
    net = randomised(net)
    with torch.no_grad():
      out = net(torch.from_numpy(picture).permute(0, 3, 1, 2))
    found[f'out/{name}'] = out.numpy()
    for key, value in net.state_dict().items():
      unused = key.startswith('final_layers.') and not key.startswith('final_layers.3.')
      if not unused and 'num_batches' not in key:
        found[f'{name}/{key}'] = value.numpy()
  np.savez_compressed(HERE / 'resnet.npz', **found)


if __name__ == '__main__':
  main()
