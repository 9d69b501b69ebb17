"""What ``calmap reduce`` prints."""

from __future__ import annotations

import json
from collections.abc import Iterable, Iterator, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click
from rich.text import Text

from calmap.cli.reducing import nearer
from calmap.report.text import printable
from reduce.batch import Failed, Result, Written
from reduce.errors import MissingReferenceError
from reduce.files.reader import open_any
from reduce.headers import plain
from reduce.provenance import StepRecord
from reduce.recipe import Recipe, bundled
from reduce.references import Reference
from reduce.session import Request, planned, settings_for
from reduce.settings import Setting, recipe_layer
from reduce.steps import STEPS

if TYPE_CHECKING:
    from rich.console import Console

    from reduce.associations import Association


class Printer:
    """Prints results as they come, or all of them as JSON at the end."""

    def __init__(self, style: str, console: Console, *, quiet: bool) -> None:
        self.style = style
        self.console = console
        self.quiet = quiet
        self.results: list[dict[str, Any]] = []
        self.written = 0

    def show(self, result: Result) -> None:
        """Print a product; failures are told on standard error."""
        if self.style == "json":
            self.results.append(as_json(result))
        elif isinstance(result, Written) and not self.quiet:
            self.written += 1
            for line in lines(result):
                self.console.print(line, soft_wrap=True)

    def end(self) -> None:
        """Print what comes last."""
        if self.style == "json" and not self.quiet:
            click.echo(json.dumps(self.results, indent=2))
        elif not self.written and not self.quiet:
            self.console.print("nothing was written", soft_wrap=True)


def lines(result: Written) -> Iterator[Text]:
    """A product for people: its name, and each of its steps."""
    yield Text.assemble((printable(nearer(str(result.path))), "bold"))
    sources = ", ".join(printable(path.name) for path in result.sources)
    yield Text(f"  {result.kind} from {sources} by {result.recipe.name}")
    for record in result.records:
        yield _line(record)


def _line(record: StepRecord) -> Text:
    text = Text(f"  {record.step:<16} ")
    if record.status == "SKIPPED":
        return text.append("skipped  ", "yellow").append(record.reason)
    text.append("done", "green")
    used = "  ".join(use.reference.keyword_value for use in record.references)
    return text.append(f"     {printable(nearer(used))}") if used else text


def as_json(result: Result) -> dict[str, Any]:
    """A result for machines."""
    if isinstance(result, Failed):
        problem = result.problem
        explanation = problem.explanation if isinstance(problem, MissingReferenceError) else ""
        return {
            "file": str(result.path),
            "status": "failed",
            "message": problem.message,
            "hint": problem.hint,
            "explanation": explanation,
        }
    return {
        "file": str(result.path),
        "status": "written",
        "kind": result.kind,
        "sources": [str(path) for path in result.sources],
        "recipe": result.recipe.name,
        "steps": [step_json(record) for record in result.records],
    }


def step_json(record: StepRecord) -> dict[str, Any]:
    """A step for machines."""
    return {
        "step": record.step,
        "status": record.status,
        "reason": record.reason,
        "parameters": dict(record.parameters),
        "references": [
            {
                "type": use.reference.reftype,
                "file": str(use.reference.path) if use.reference.path else None,
                "origin": use.reference.origin,
                "sha256": use.sha256,
                "context": use.reference.context,
                "rule": use.reference.rule,
            }
            for use in record.references
        ],
    }


def show_recipes(style: str, console: Console) -> None:
    """All recipes that come with the package."""
    if style == "json":
        click.echo(json.dumps([_recipe_json(recipe) for recipe in bundled()], indent=2))
        return
    for recipe in bundled():
        console.print(Text.assemble((recipe.name, "bold"), f"  {recipe.title}"), soft_wrap=True)
        for keyword, values in recipe.applies.items():
            console.print(Text(f"  for {keyword} = {', '.join(values)}"), soft_wrap=True)
        for level, steps in recipe.steps.items():
            console.print(Text(f"  {level.name}  {' → '.join(steps)}"), soft_wrap=True)


def _recipe_json(recipe: Recipe) -> dict[str, Any]:
    return {
        "name": recipe.name,
        "title": recipe.title,
        "applies": {keyword: list(values) for keyword, values in recipe.applies.items()},
        "steps": {level.name: list(steps) for level, steps in recipe.steps.items()},
    }


def show_parameters(request: Request, style: str, console: Console) -> None:
    """The parameters of all steps of the recipe that is asked for, or of all steps."""
    recipe = request.recipe
    names = _names(recipe) if recipe else list(STEPS)
    settings = request.settings.below(recipe_layer(recipe)) if recipe else request.settings
    if style == "json":
        click.echo(json.dumps(_settings_json(settings.of(names)), indent=2))
    else:
        _print_settings(settings.of(names), console)


def _names(recipe: Recipe) -> list[str]:
    return [name for steps in recipe.steps.values() for name in steps]


def _print_settings(settings: Iterable[Setting], console: Console) -> None:
    step = ""
    for setting in settings:
        if setting.step != step:
            step = setting.step
            console.print(Text.assemble((step, "bold"), f"  {STEPS[step].title}"), soft_wrap=True)
        option = setting.option
        unit = f" {option.unit}" if option.unit and setting.value is not None else ""
        value = "none" if setting.value is None else str(setting.value)
        value = value.lower() if isinstance(setting.value, bool) else value
        console.print(Text(f"  {option.name} = {value}{unit}  ({setting.origin})"), soft_wrap=True)
        console.print(Text(f"      {option.help} May be {option.allowed}."), soft_wrap=True)


def _settings_json(settings: Iterable[Setting]) -> list[dict[str, Any]]:
    return [
        {
            "step": setting.step,
            "parameter": setting.option.name,
            "value": setting.value,
            "origin": setting.origin,
            "default": setting.option.default,
            "unit": setting.option.unit,
            "allowed": setting.option.allowed,
            "help": setting.option.help,
        }
        for setting in settings
    ]


def show_parameters_for(
    associations: Sequence[Association], request: Request, style: str, console: Console
) -> None:
    """The parameters of some files, those with the same ones together, and who set them."""
    alike: dict[tuple[str, tuple[Setting, ...]], list[Path]] = {}
    for path in (path for association in associations for path in association.files):
        data = open_any(path)
        recipe = planned(data, path, request).recipe
        names = _names(recipe)
        settings = settings_for(recipe, names, request, plain(data.header))
        alike.setdefault((recipe.name, tuple(settings.of(names))), []).append(path)
    if style == "json":
        answers = [
            {"recipe": name, "files": [str(path) for path in paths], "parameters": _settings_json(values)}
            for (name, values), paths in alike.items()
        ]
        click.echo(json.dumps(answers, indent=2))
        return
    for (name, values), paths in alike.items():
        more = f" and {len(paths) - 1} more" if len(paths) > 1 else ""
        console.print(
            Text.assemble((name, "bold"), f"  for {printable(paths[0].name)}{more}"), soft_wrap=True
        )
        _print_settings(values, console)


def show_references(
    associations: Sequence[Association], request: Request, style: str, console: Console
) -> bool:
    """The references that some files would get; true if all are there that are needed."""
    answers = []
    for path in (path for association in associations for path in association.files):
        data = open_any(path)
        plan = planned(data, path, request)
        steps = [task.step.name for task in plan.tasks if not task.skipped]
        answers.append(_references(path, data, steps, request))
    _show_references(answers, style, console)
    return all(
        one["status"] != "missing" or one["type"] in request.allowed
        for answer in answers
        for one in answer["references"]
    )


def _references(path: Path, data: Any, steps: Sequence[str], request: Request) -> dict[str, Any]:
    header = plain(data.header)
    found = []
    for step, need in ((name, need) for name in steps for need in STEPS[name].needs):
        one = {"type": need.reftype, "step": step}
        try:
            reference = request.resolver.find(header, need.reftype)
        except MissingReferenceError as problem:
            one |= {"status": "missing", "reason": problem.message, "explanation": problem.explanation}
        else:
            one |= _reference(reference, required=need.required)
        found.append(one)
    return {"file": str(path), "references": found}


def _reference(reference: Reference | None, *, required: bool) -> dict[str, str]:
    if reference is None:
        status = "missing" if required else "unknown"
        return {"status": status, "reason": "there are no rules for this type"}
    return {
        "status": reference.origin,
        "value": reference.keyword_value,
        "rule": reference.rule,
        "reason": reference.reason,
    }


def _show_references(answers: Sequence[dict[str, Any]], style: str, console: Console) -> None:
    if style == "json":
        click.echo(json.dumps(answers, indent=2))
        return
    for answer in answers:
        console.print(Text(printable(nearer(answer["file"])), "bold"), soft_wrap=True)
        for one in answer["references"]:
            text = Text(f"  {one['type']:<12} {one['step']:<16} ")
            if "value" in one:
                text.append(printable(nearer(one["value"])), "green").append(
                    f"  {one['rule'] or one['reason']}"
                )
            else:
                text.append(one["status"], "red" if one["status"] == "missing" else "yellow")
                text.append(f"  {one['reason']}")
            console.print(text, soft_wrap=True)
