"""A face in a picture: where it is, its landmarks, the crop that the models see."""
