"""The base of steps that are used as those of stpipe."""

from __future__ import annotations

from collections.abc import Collection, Iterator, Mapping, Sequence
from dataclasses import replace
from logging import getLogger
from os import PathLike
from pathlib import Path
from typing import Any, ClassVar

from calmap.compat.stpipe import check_reference_open
from calmap.reduction.inputs import Exposure, Exposures, exposures, header_of
from calmap.reduction.memory import held_reference, is_reference
from calmap.reduction.options import GENERAL, REFTYPES, current_names, declared, older_names
from calmap.reduction.overriding import EMPTY, Given, given_reference
from calmap.reduction.selection import Selection, lookup_errors
from reduce.errors import DataError, MissingReferenceError, ParameterError
from reduce.files.reader import open_any
from reduce.files.writer import write_frame, write_ramp
from reduce.frame import Frame
from reduce.headers import plain
from reduce.parameterfiles import ParameterFile, read_parameters
from reduce.parameters import Option, options, unknown
from reduce.pipeline import LEFT_OUT, Data, Task, run
from reduce.products import Output, product_stem
from reduce.provenance import ReferenceUse, StepRecord
from reduce.recipe import Level, Recipe
from reduce.references import Overrides, Reference, Resolver, Value, sha256
from reduce.session import Request, combined, settings_for
from reduce.settings import Layer, Settings
from reduce.step import FramesStep, Step
from reduce.steps import STEPS
