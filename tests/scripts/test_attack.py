"""scripts/attack.py: what it throws, how it judges, and whom it leaves alone."""

from __future__ import annotations

import json
import os
import re
import signal
import subprocess
import sys
from collections import Counter
from functools import partial
from pathlib import Path

import pytest

from scripts import attack as command
from scripts.attacks import books, doors, pages, run, telling
from scripts.attacks.catalogue import CATALOGUE, Attack
from scripts.attacks.run import MISSING, NOT_EXPECTED, Result
from scripts.attacks.volley import Volley
from scripts.attacks.wire import Answer, NotOurs, Wire
from app.web import api, console, counter, customer
from app.web.shared import views as shared
from tests.test_readme import rules

ROOT = Path(__file__).resolve().parents[2]
PATIENCE_S = 240
