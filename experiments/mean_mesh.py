"""Makes `vasa_jax/metrics/mean_mesh.npz`, the mean mesh that head pose is read with.

    python -m experiments.mean_mesh --heads 300          (about 1 minute on one core)

Rendered heads of known pose are looked at by the face mesh, turned back by their exact
rotation and averaged. So the pose reader's zero is the renderer's zero, and the mesh's
habit of flattening depth is in the mean instead of in the angles. Other heads, never
averaged, give the reader's error, which is printed and belongs into docs/metrics.md.
"""

import argparse
import sys
from pathlib import Path

import numpy as np

from data_pipelines.errors import UserError as PipelineError
from vasa_jax.errors import UserError
from vasa_jax.metrics import faces
from vasa_jax.metrics.pose import angle_error, rotation

_CHECK_SEED = 1_000_000


def look_at_heads(first_seed: int, count: int) -> dict[str, np.ndarray]:
  """`points (n, 468, 3)` px and `pose (n, 3)` degrees of the heads that were found."""
  from data_pipelines.synthetic.drawing.render import Renderer
  from data_pipelines.synthetic.drawing.scene import sample_light
  from data_pipelines.synthetic.filming.backdrop import sample_backdrop
  from data_pipelines.synthetic.people.heads import sample_identity

  renderer = Renderer(256, supersample=1)
  points, poses = [], []
  for seed in range(first_seed, first_seed + count):
    rng = np.random.default_rng(seed)
    renderer.load(sample_identity(seed), sample_backdrop(rng, 256).picture)
    for _ in range(2):
      angles = np.clip(rng.normal(0, (0.3, 0.14, 0.1)), -0.7, 0.7)
      shift = rng.normal(0, 0.03, 2)
      pose = np.array([*angles, np.log(rng.uniform(0.95, 1.25)), *shift])
      units = rng.uniform(0, 0.4, 52) * (rng.random(52) < 0.1)
      frame = renderer.frame(units, pose, np.zeros(2), sample_light(rng))
      mesh = faces.find_mesh(frame.picture)
      if mesh is not None:
        points.append(mesh)
        poses.append(np.degrees(angles))
  if not points:
    raise UserError('no face was found on any rendered head')
  return {'points': np.stack(points), 'pose': np.stack(poses), 'seen': 2 * count}


def main() -> int:
  parser = argparse.ArgumentParser(description=__doc__.splitlines()[0])
  parser.add_argument('--heads', type=int, default=300, help='identities to average')
  parser.add_argument('--check', type=int, default=80, help='identities to test on')
  parser.add_argument(
    '--out', type=Path, default=Path(faces.__file__).with_name('mean_mesh.npz')
  )
  arguments = parser.parse_args()
  try:
    seen = look_at_heads(0, arguments.heads)
    mean = faces.average_mesh(seen['points'], rotation(seen['pose']))
    np.savez(arguments.out, points=mean)
    faces.mean_mesh.cache_clear()
    test = look_at_heads(_CHECK_SEED, arguments.check)
  except (UserError, PipelineError, OSError) as error:
    print(f'mean_mesh: {error}', file=sys.stderr)
    return 1
  read = faces.mesh_pose(test['points'])
  print(f'found {len(read)} of {test["seen"]} frames of {arguments.check} new heads')
  for i, name in enumerate(('yaw', 'pitch', 'roll')):
    error = read[:, i] - test['pose'][:, i]
    r = np.corrcoef(read[:, i], test['pose'][:, i])[0, 1]
    print(f'{name}: mean absolute error {np.abs(error).mean():.2f} deg, '
          f'bias {error.mean():+.2f}, r {r:.3f}')  # fmt: skip
  print(f'mean of the three: {angle_error(read, test["pose"]).mean():.2f} deg')
  return 0


if __name__ == '__main__':
  sys.exit(main())
