"""Training on many processes and machines, over MPI.

The program is the same under `python train.py` and `mpiexec -n 4 python train.py`. Needs mpi4py and
an MPI: `pip install mpi4py threadpoolctl`, and where the machine has none, `pip install mpich`.
"""

from torchlite.distributed.averaging import average as average
from torchlite.distributed.averaging import average_elastically as average_elastically
from torchlite.distributed.data_parallel import DataParallel as DataParallel
from torchlite.distributed.group import Group as Group
from torchlite.distributed.pipeline import Pipeline as Pipeline
from torchlite.distributed.schedules import Plan as Plan
from torchlite.distributed.schedules import Work as Work
from torchlite.distributed.schedules import gpipe as gpipe
from torchlite.distributed.schedules import one_f_one_b as one_f_one_b
from torchlite.distributed.schedules import simulate as simulate
from torchlite.distributed.schedules import split as split
from torchlite.distributed.schedules import zb_h1 as zb_h1
from torchlite.distributed.schedules import zb_h2 as zb_h2

__all__ = [
    "DataParallel",
    "Group",
    "Pipeline",
    "Plan",
    "Work",
    "average",
    "average_elastically",
    "gpipe",
    "one_f_one_b",
    "simulate",
    "split",
    "zb_h1",
    "zb_h2",
]
