"""What Torch7's packages dpnn and nnx add to nn."""
