"""The judges of stage 1 from the user's files, and which losses are off without them.

Weights of VGG19, VGGFace, ArcFace and the gaze net are not ours to pass on. Each is
named by a path: a PyTorch file as published (`.pth`, `.pt`), or npz or safetensors with
the same names.
"""

import dataclasses
import functools
from pathlib import Path

import numpy as np
from jax.tree_util import Partial

from vasa_jax.errors import UserError
from vasa_jax.face.config import FaceConfig
from vasa_jax.face.judges import Judges
from vasa_jax.face.losses import LossConfig

PERCEPTUAL_LAYERS = ('relu1_2', 'relu2_2', 'relu3_3')
PYRAMID_LAYERS = tuple(f'relu{i}_1' for i in range(1, 6))
FACE_WEIGHTS = (1 / 32, 1 / 16, 1 / 8, 1 / 4, 1.0)


@dataclasses.dataclass(frozen=True)
class JudgeFiles:
  """Paths; '' is none.

  Attributes:
    vgg19: ImageNet's VGG19 (torchvision's names), for `pyramid`.
    vgg_face: VGGFace's VGG16, for `face`.
    arcface: an iresnet of ArcFace, for `identity`.
    gaze: L2CS-Net, for `gaze`.
  """

  vgg19: str = ''
  vgg_face: str = ''
  arcface: str = ''
  gaze: str = ''


def read_weights(path: str) -> dict[str, np.ndarray]:
  """A weights file with PyTorch's flat names.

  Raises:
    UserError: it is missing or damaged.
  """
  from vasa_jax.teachers import loader, torch_file

  if Path(path).suffix in ('.npz', '.safetensors'):
    return loader.load_arrays(path)
  return torch_file.load_torch(path)


def load_judges(
  weights: LossConfig, files: JudgeFiles, perceptual_file: str = ''
) -> Judges:
  """The judges that some weight asks for and whose file is there.

  Raises:
    UserError: a file that is named cannot be used.
  """
  from vasa_jax.teachers import arcface, gaze, vgg

  found = Judges(perceptual=_perceptual(weights, perceptual_file))
  if files.vgg19 and (weights.pyramid or weights.consistency_pyramid):
    params = vgg.from_torch(read_weights(files.vgg19), vgg.VGG19)
    found = found._replace(pictures=_trimmed(vgg.VGG19, params, (0.2,) * 5))
  if files.vgg_face and weights.face:
    params = vgg.from_torch(read_weights(files.vgg_face), vgg.VGG_FACE)
    found = found._replace(faces=_trimmed(vgg.VGG_FACE, params, FACE_WEIGHTS))
  if files.gaze and weights.gaze:
    params = gaze.from_torch(read_weights(files.gaze))
    look = functools.partial(gaze.gaze_loss, gaze.GazeNet())
    found = found._replace(gaze=Partial(look, params))
  if files.arcface and weights.identity:
    state = read_weights(files.arcface)
    net, params = arcface.ArcFace(arcface.config_of(state)), arcface.from_torch(state)
    embed = functools.partial(_embedded, net)
    found = found._replace(identity=Partial(embed, params))
  return found


def abstract_judges() -> Judges:
  """All judges with shapes for weights, ArcFace as IR-50: for a compile alone."""
  import jax

  from vasa_jax.teachers import arcface, gaze, vgg

  def shapes(net, side: int):
    picture = jax.ShapeDtypeStruct((1, side, side, 3), np.float32)
    return jax.eval_shape(net.init, jax.random.key(0), picture)['params']

  def vgg_shapes(config):
    return shapes(vgg.VGG(config, PYRAMID_LAYERS), 64)

  face, look = arcface.ArcFace(arcface.IRESNET50), gaze.GazeNet()
  return Judges(
    pictures=_compared(vgg.VGG19, vgg_shapes(vgg.VGG19), (0.2,) * 5),
    faces=_compared(vgg.VGG_FACE, vgg_shapes(vgg.VGG_FACE), FACE_WEIGHTS),
    gaze=Partial(functools.partial(gaze.gaze_loss, look), shapes(look, 224)),
    identity=Partial(functools.partial(_embedded, face), shapes(face, 112)),
  )


def _compared(config, params, layer_weights) -> Partial:
  """Distance of two pictures in all five stages of a VGG."""
  from vasa_jax.teachers import vgg

  distance = functools.partial(
    vgg.perceptual_loss, layers=PYRAMID_LAYERS, weights=layer_weights, config=config,
    normalise=False,
  )  # fmt: skip
  return Partial(distance, params)


def _trimmed(config, params, layer_weights) -> Partial:
  from vasa_jax.teachers import vgg

  return _compared(config, vgg.trim(params, PYRAMID_LAYERS, config), layer_weights)


def _embedded(net, params, faces):
  return net.apply({'params': params}, faces)


def _perceptual(weights: LossConfig, path: str) -> Partial | None:
  if not weights.perceptual:
    return None
  from vasa_jax.teachers import fetch, loader, vgg

  if path:  # asked for by name: a wrong file is an error
    trunk = loader.nest(loader.load_arrays(path))
  else:
    try:
      trunk = vgg.trim(fetch.load_teacher('vgg16')['trunk'])
    except UserError as error:
      print(f'perceptual loss is off: {error}')
      return None
  return Partial(
    functools.partial(vgg.perceptual_loss, layers=PERCEPTUAL_LAYERS), trunk
  )


def why_off(config: FaceConfig, weights: LossConfig, judges: Judges) -> list[str]:
  """A line for each loss that has a weight and will not be in the sum."""
  needs = {
    'pyramid': (judges.pictures, 'vgg19'),
    'consistency_pyramid': (judges.pictures, 'vgg19'),
    'face': (judges.faces, 'vgg_face'),
    'gaze': (judges.gaze, 'gaze'),
    'identity': (judges.identity, 'arcface'),
  }
  lines = [
    f'{name} loss is off: no weights of its net; --set judges.{file}=FILE'
    for name, (judge, file) in needs.items()
    if getattr(weights, name) and judge is None
  ]
  if config.anchored:
    lines += [
      f'{name} loss is off: it is for learned latents, model.anchored is on'
      for name in ('contrastive', 'mismatch', 'pose')
      if getattr(weights, name)
    ]
  elif weights.motion:
    lines.append('motion loss is off: it is for anchored latents')
  if config.pixel_path is None:
    lines += [
      f'{name} loss is off: the model has no pixel path'
      for name in ('warped', 'paint', 'flow')
      if getattr(weights, name)
    ]
  return lines
