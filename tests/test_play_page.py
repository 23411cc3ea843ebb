"""The page that trains, in a real browser: Debian's chromium and chromium-driver, and selenium.

Where one of them is missing the tests are skipped.
"""

import json
import threading
import time

import numpy as np
import pytest
from test_stepping_page import MEASURE, browser, selenium

import torchlite as nn
from torchlite.play import PROBLEMS, Problem, Trainer
from torchlite.play.server import Server

assert browser
