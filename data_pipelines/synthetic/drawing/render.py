"""Draws one person with a given pose, gaze and expression: pictures with the truth.

World: x right in the picture, y up, z towards the camera. The head turns about the
neck pivot by R = R_y(yaw) R_x(pitch) R_z(roll), radians: yaw > 0 brings the nose to
the right of the picture, pitch > 0 looks down, roll > 0 turns counter-clockwise on
the screen. The torso stands upright, or turns by B = `body`; a vertex of the neck with
the share w of the head's rotation turns by B exp(w log(B^T R)). The camera looks along
-z at the point T = pivot + (0, 0.80, 0) from D = 7.4 * distance_ratio mesh units; then
the head is shifted on the screen by (t_x, t_y) sides of the crop, x right, y down. So

  pose = z_pose = [yaw, pitch, roll, log(distance_ratio), t_x, t_y]

The angle of view is 24 degrees. At another, f, the camera moves so that the face keeps
its size: with e the height of the eyes above T towards the camera, the distance is
e + (D - e) tan 12deg / tan(f / 2), and only the perspective changes.

`eyes` = (yaw, pitch) turn the eyeballs in the head's frame, radians: yaw > 0 to the
right of the picture, pitch > 0 up. `units` are the 52 values of `assets.UNITS`.
"""

import math
from typing import NamedTuple

import cv2
import numpy as np

from data_pipelines import errors
from data_pipelines.synthetic import assets as assets_lib
from data_pipelines.synthetic.drawing import (
  ambient,
  film,
  points,
  raster,
  scene,
  shade,
  wrinkles,
)
from data_pipelines.synthetic.drawing.model import (
  attach_light,
  build_look,
  build_mesh,
  relief_side,
)
from data_pipelines.synthetic.landmarks import screen_landmarks
from data_pipelines.synthetic.people.heads import Identity

TARGET_HEIGHT = 0.8  # of the point the camera looks at, above the pivot; mesh units
BLINK_RETREAT = np.float32(0.05)  # of an eyeball behind a closed lid; mesh units
_BLINKS = [assets_lib.UNITS.index(f'eyeBlink{side}') for side in ('Left', 'Right')]
CAMERA_DISTANCE = 7.4  # mesh units at distance_ratio 1
VIEW = 24.0  # degrees
SHADOW_CENTRE_HEIGHT = 0.5  # of the middle of the shadow map, above the pivot


class Frame(NamedTuple):
  """One rendered frame."""

  picture: np.ndarray  # (s, s, 3) uint8 RGB
  points: np.ndarray  # (384, 3) float32: x, y in crop units 0..1, visible 0 or 1
  landmarks: np.ndarray  # (468, 2) float32 of the face mesh, exact, crop units


def _floats(values):
  return np.ascontiguousarray(values, np.float32)


def rotation(yaw: float, pitch: float, roll: float) -> np.ndarray:
  """R_y(yaw) R_x(pitch) R_z(roll), (3, 3) float64; radians."""
  (cy, cp, cr), (sy, sp, sr) = np.cos([yaw, pitch, roll]), np.sin([yaw, pitch, roll])
  about_y = np.array([[cy, 0, sy], [0, 1, 0], [-sy, 0, cy]])
  about_x = np.array([[1, 0, 0], [0, cp, -sp], [0, sp, cp]])
  about_z = np.array([[cr, -sr, 0], [sr, cr, 0], [0, 0, 1]])
  return about_y @ about_x @ about_z


def rotation_vector(matrix: np.ndarray) -> np.ndarray:
  """Axis times angle (3,) of a rotation by less than half a turn."""
  angle = np.arccos(np.clip((np.trace(matrix) - 1) / 2, -1, 1))
  skew = np.array(
    [
      matrix[2, 1] - matrix[1, 2],
      matrix[0, 2] - matrix[2, 0],
      matrix[1, 0] - matrix[0, 1],
    ]
  )
  length = np.linalg.norm(skew)
  return skew * (angle / length) if length > 1e-9 else np.zeros(3)


class Renderer:
  """Renders square pictures of `size`; each sample is `supersample`^2 samples.

  One renderer holds one person at a time (`load`) and no other state: `frame` is a
  function of its arguments and the person.
  """

  def __init__(self, size: int, supersample: int = 2):
    if size < 8 or supersample < 1:
      raise errors.UsageError('Renderer: size must be >= 8 and supersample >= 1')
    self.size = size
    self.supersample = supersample
    self.shadow_size = 256 if size > 64 else 128
    self.identity: Identity | None = None

  def load(self, identity: Identity, background: np.ndarray, fov: float = VIEW) -> None:
    """Takes the person, the picture behind and the lens.

    Args:
      identity: who.
      background: (h, w, 3) uint8 RGB, any size.
      fov: full angle of view in degrees, about 12 to 60.

    Raises:
      UsageError: an impossible angle.
    """
    if not 1 < fov < 120:
      raise errors.UsageError(f'Renderer: fov must be in 1..120 degrees, got {fov}')
    self.identity = identity
    self.target = identity.pivot + np.array([0, TARGET_HEIGHT, 0])
    self._mesh, self.part_slices = model = build_mesh(identity)
    self._lens(VIEW)  # what is chosen for a person does not depend on the lens
    moved = self._move(np.zeros(52), np.zeros(6), np.zeros(2), None)
    screen = self._project(moved, np.zeros(6), points.SCREEN)
    side = self.size * self.supersample
    rest = screen[:, :2] / points.SCREEN
    self._look = build_look(identity, model.mesh, rest, self.size, side)
    self.point_indices = points.choose_points(
      identity, model, self._look, moved, screen
    )
    self._mesh = attach_light(model.mesh, self._look, moved)
    self._attributes = shade.attributes(self._mesh)
    self._relief = wrinkles.build_relief(
      identity.skin, relief_side(self._mesh, rest, self.size)
    )
    self._creased = self._relief.still.copy()
    self._lens(fov)
    picture = cv2.resize(background, (side, side), interpolation=cv2.INTER_LINEAR)
    self._backdrop = film.inverse_film(picture)

  def _lens(self, fov):
    """Angle of view, and how the distance changes with it."""
    self._tan_half_view = math.tan(math.radians(fov / 2))
    self._closer = math.tan(math.radians(VIEW / 2)) / self._tan_half_view
    self._eye_depth = float(self.identity.eye_centres[:, 2].mean() - self.target[2])

  def _distance(self, pose):
    """Of the camera from T, mesh units."""
    eyes = self._eye_depth
    return eyes + (CAMERA_DISTANCE * float(np.exp(pose[3])) - eyes) * self._closer

  def _move(self, units, pose, eyes, body):
    if self.identity is None:
      raise errors.UsageError('Renderer: call load(identity, background) first')
    units = np.asarray(units, np.float32)
    if units.shape != (len(assets_lib.UNITS),):
      raise errors.UsageError(f'Renderer: 52 face units expected, got {units.shape}')
    chosen = np.nonzero(units)[0].astype(np.int32)
    torso = np.eye(3) if body is None else rotation(*np.asarray(body, np.float64)[:3])
    head = rotation(*np.asarray(pose, np.float64)[:3])
    vector = rotation_vector(torso.T @ head)
    angle = float(np.linalg.norm(vector))
    axis = vector / angle if angle > 1e-9 else np.array([0.0, 1.0, 0.0])
    eye_rotation = rotation(eyes[0], -eyes[1], 0.0)
    retreat = BLINK_RETREAT * np.clip(units[_BLINKS], 0, 1) ** 2
    return raster.move(
      self._mesh, units[chosen], chosen, _floats(eye_rotation), retreat, _floats(axis),
      angle, _floats(torso),
    )  # fmt: skip

  def _project(self, moved, pose, size):
    lens = (self._distance(pose), self._tan_half_view)
    shift = (float(pose[4]), float(pose[5]))
    target = _floats(self.target)
    return raster.project(moved.positions, target, *lens, *shift, float(size))

  def geometry(self, units, pose, eyes, body=None) -> np.ndarray:
    """Every part vertex on the screen, (m, 3) float32.

    Args:
      units: (52,) face units.
      pose: (6,) z_pose.
      eyes: (2,) eye yaw and pitch, radians.
      body: (3,) yaw, pitch and roll of the torso, radians; None = upright.

    Returns:
      x, y in crop units (0..1 inside the picture, y down) and the distance from the
      camera along its axis, in mesh units. `part_slices` says whose vertices they are.
    """
    screen = self._project(self._move(units, pose, eyes, body), pose, 1.0)
    screen[:, 2] = -1 / screen[:, 2]
    return screen

  def frame(self, units, pose, eyes, light: scene.Light, body=None) -> Frame:
    """Renders one frame.

    Args:
      units: (52,) face units in the order of `assets.UNITS`, 0 to about 1.4.
      pose: (6,) z_pose.
      eyes: (2,) eye yaw and pitch in the head's frame, radians.
      light: the rig.
      body: (3,) yaw, pitch and roll of the torso in the camera's frame, radians;
        None = upright.

    Returns:
      Frame.

    Raises:
      UsageError: nothing is loaded, or the shapes are wrong.
    """
    moved = self._move(units, pose, eyes, body)
    side = self.size * self.supersample
    screen = self._project(moved, pose, side)
    around = self._scene(units, pose, eyes, light)
    lights = raster.project_light(
      moved.positions, around.light_frame, around.light_centre, float(self.shadow_size)
    )
    units = np.asarray(units, np.float32)
    wrinkles.crease(self._creased, *self._relief, wrinkles.tension(units))
    person = (self._mesh, self._attributes, moved, screen, lights)
    drawn = (self._look, self._creased, around, self.shadow_size, self.supersample)
    colour, buffers = shade.draw(*person, *drawn)
    at = screen[self.point_indices]
    visible = points.visible(at, buffers.depth)
    where = np.concatenate([at[:, :2] / side, visible[:, None]], 1)
    return Frame(
      film.develop(colour, self.supersample),
      where.astype(np.float32),
      screen_landmarks(screen, self.part_slices) / np.float32(side),
    )

  def _scene(self, units, pose, eyes, light):
    """What `shade.draw` needs to know of light and camera."""
    camera = self.target + np.array([0, 0, self._distance(pose)])
    head = rotation(*np.asarray(pose, np.float64)[:3])
    up = np.array([head[0, 1], -head[1, 1]])
    side = self.size * self.supersample
    return shade.Scene(
      directions=_floats(light.directions),
      colours=_floats(light.colours),
      ambient=ambient.folded(light.ambient),
      camera=_floats(camera),
      light_frame=_floats(raster.light_frame(light.directions[0])),
      light_centre=_floats(self.identity.pivot + [0, SHADOW_CENTRE_HEIGHT, 0]),
      softness=light.softness if self.shadow_size > 128 else 1,
      backdrop=self._backdrop,
      flush=wrinkles.blush(np.asarray(units)),
      gaze=_floats(head @ rotation(eyes[0], -eyes[1], 0.0)[:, 2]),
      up=_floats(up / max(np.linalg.norm(up), 1e-6)),
      scale=side / (2 * self._tan_half_view),
    )
