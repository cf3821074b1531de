"""Molecules in, numbers or probabilities out, each with how sure it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any, ClassVar, Self

from layerwise.errors import InputError, SpecError
from layerwise.tasks.base import Answer, Task
from layerwise.tasks.fields import Field
from layerwise.text.text_file import TextFile

if TYPE_CHECKING:
    import numpy as np

    from layerwise.config import TrainingConfig
    from layerwise.own_data import OwnData
    from layerwise.plots import Plot
    from layerwise.runner import Runner
    from layerwise.specs import ModelSpec
    from layerwise.splits import Split
    from layerwise.tasks.molecules.predictions import Predicted
    from layerwise.tasks.molecules.standardise import Molecule
    from layerwise.tasks.molecules.statistics import Statistics
    from layerwise.versions import Version

VALUE_KINDS = ("number", "yes-no")
REPRESENTATIONS = ("fingerprint", "graph")
MOST_LIKELY = "the most probable"
"""Of several properties, the one whose atoms are coloured unless another one is chosen."""
PADDED_SHARE = 0.99
"""Graphs are padded to the size that this share of the training molecules has at most; the others are not trained on,
since one of them would make all arrays as large."""


@dataclass(frozen=True, kw_only=True)
class MoleculeProperty(Task):
    """Properties of a molecule, by an ensemble of networks in one.

    The network takes what `encode` gives. For numbers it gives a mean and the logarithm of a variance of each
    standardised target, [examples, members, targets, 2]; for yes and no logits [examples, members, targets]. The splits
    of a data set hold SMILES, an array of objects [examples], and targets float [examples, targets] in their own unit
    (yes is 1, no 0), NaN where nobody knows.

    Args:
        targets: The name of each property.
        kind: "number" or "yes-no".
        unit: Of the numbers ("log mol/L"), empty when they have none.
        means, deviations: Of each target over the training data; learned before a training.
        representation: "fingerprint" (counts of groups of atoms, and descriptors) or "graph" (atoms and bonds).
        members: How many networks the ensemble has.
        bits: Places of the fingerprint.
        atoms: The most atoms, hydrogen apart, that a molecule may have.
        molecules: The training molecules with their values; learned before a training.
        descriptors: How their descriptors spread; learned before a training on fingerprints.
        similarity: How similar a molecule is to the nearest of them at least, in the domain of the network; learned.
        widths: Half the 90 % interval of each target, in predicted deviations; learned after a training, from the
            molecules held out for validation.

    Raises:
        SpecError: A value is not usable.

    Example:
        >>> task = MoleculeProperty(targets=("solubility",), representation="graph", atoms=8)
        >>> {name: part.shape for name, part in task.encode({"smiles": "CCO"}).items()}
        {'atoms': (1, 8, 36), 'bonds': (1, 8, 8), 'mask': (1, 8)}
    """

    type_name: ClassVar[str] = "molecule-property"
    metric: ClassVar[str] = "rmse"
    folder_format: ClassVar[str] = """A CSV, TSV or Parquet file with a column of SMILES and one or more of values, the
names of the columns in its first line:

    smiles,solubility
    CCO,1.10
    c1ccccc1,-1.64

The column of SMILES is named `smiles`, or else is found. All other columns that hold numbers are properties; where one
is named `target` or `label`, that one alone. Values may be missing. Yes and no are written 1 and 0, or in words. Or an
SDF file, whose data fields are the properties. At least 10 molecules that RDKit can read.

A fifth of them is held out to test the result: whole scaffolds, so that the test has molecules of other sorts than the
training. Or divide them yourself into `train.csv` and `test.csv`.
"""
    network_takes: ClassVar[str] = (
        "Of a molecule that RDKit has standardised, as the parameters of the task say: “fingerprint”, log(1 + count) "
        "of each group of atoms up to two bonds around an atom [molecules, bits], and “descriptors”, standardised "
        "[molecules, descriptors]; or “atoms”, what is known of each [molecules, atoms, features], “bonds”, the kind "
        "of the bond between two atoms [molecules, atoms, atoms], and “mask”, 1 where there is an atom "
        "[molecules, atoms]."
    )
    network_gives: ClassVar[str] = (
        "For numbers the mean and the logarithm of the variance of each standardised target, by each member of the "
        "ensemble [molecules, members, targets, 2]; for yes and no logits [molecules, members, targets]."
    )
    targets: tuple[str, ...]
    kind: str = "number"
    unit: str = ""
    means: tuple[float, ...] = ()
    deviations: tuple[float, ...] = ()
    representation: str = "fingerprint"
    members: int = 5
    bits: int = 256
    atoms: int = 132
    molecules: TextFile | None = None
    descriptors: TextFile | None = None
    similarity: float = 0.0
    widths: tuple[float, ...] = ()

    def __post_init__(self) -> None:
        targets = tuple(self.targets) if not isinstance(self.targets, str) else (self.targets,)
        if not targets or len(set(targets)) != len(targets) or not all(isinstance(x, str) and x for x in targets):
            raise _unusable("targets", "one or more different names", self.targets)
        object.__setattr__(self, "targets", targets)
        for name, known in (("kind", VALUE_KINDS), ("representation", REPRESENTATIONS)):
            if getattr(self, name) not in known:
                raise _unusable(name, " or ".join(known), getattr(self, name))
        for name, least in (("members", 1), ("bits", 16), ("atoms", 1)):
            if type(getattr(self, name)) is not int or getattr(self, name) < least:
                raise _unusable(name, f"a whole number from {least} on", getattr(self, name))
        for name in ("means", "deviations", "widths"):
            values = tuple(getattr(self, name))
            object.__setattr__(self, name, values)
            if values and len(values) != len(targets):
                raise _unusable(name, f"{len(targets)} numbers, one for each target, or none", values)
        if self.kind == "yes-no":
            object.__setattr__(self, "metric", "roc_auc")

    # What goes in

    @property
    def inputs(self) -> tuple[Field, ...]:
        fields = [
            Field(name="smiles", kind="text", label="Molecule, as SMILES", optional=True),
            Field(name="file", kind="file", label="Or a file of molecules (CSV, TSV or SDF)", optional=True),
        ]
        if len(self.targets) > 1:
            choices = (MOST_LIKELY, *self.targets) if self.kind == "yes-no" else self.targets
            fields.append(
                Field(
                    name="coloured",
                    kind="choice",
                    label="Property that colours the atoms",
                    choices=choices,
                    default=choices[0],
                    advanced=True,
                )
            )
        return tuple(fields)

    def molecule(self, inputs: Mapping[str, Any]) -> Molecule:
        """The molecule `inputs["smiles"]`.

        Raises:
            InputError: There is none, it cannot be read, or it has more atoms than the network takes.
        """
        from layerwise.tasks.molecules.standardise import read_molecule

        return self.checked(read_molecule(inputs.get("smiles")))

    def checked(self, molecule: Molecule) -> Molecule:
        """A molecule that the network can take.

        Raises:
            InputError: It has too many atoms.
        """
        if molecule.num_atoms > self.atoms:
            raise InputError(
                "The molecule is too large for this network",
                expected=f"{self.atoms} atoms at most, without hydrogen",
                received=f"{molecule.num_atoms}",
            )
        return molecule

    def encode(self, inputs: Mapping[str, Any]) -> dict[str, np.ndarray]:
        """One molecule as a batch of one: "fingerprint" and "descriptors", or "atoms", "bonds" and "mask" padded to the
        most atoms (`layerwise.tasks.molecules.graphs`).

        Raises:
            InputError: As from `molecule`.
        """
        return self.encode_mols([self.molecule(inputs).mol], self.atoms)

    def encode_mols(self, mols: Sequence[Any], atoms: int | None = None) -> dict[str, np.ndarray]:
        """Molecules that were standardised as the network takes them.

        Args:
            mols: RDKit Mols.
            atoms: To how many atoms graphs are padded; None for the largest of them.
        """
        import numpy as np

        if self.representation == "graph":
            from layerwise.tasks.molecules.graphs import graphs

            return graphs(mols, atoms or max((mol.GetNumAtoms() for mol in mols), default=1))
        from layerwise.tasks.molecules.fingerprints import descriptors, fingerprint

        return {
            "fingerprint": np.stack([fingerprint(mol, self.bits) for mol in mols]),
            "descriptors": self.statistics.encode(np.stack([descriptors(mol) for mol in mols])),
        }

    @property
    def statistics(self) -> Statistics:
        """How the descriptors of the training molecules spread.

        Raises:
            SpecError: That is not known before a training.
        """
        from layerwise.tasks.molecules.statistics import Statistics

        if self.descriptors is None:
            raise SpecError("The task has not seen training molecules yet", remedy="train a model, which learns them")
        return Statistics.of(self.descriptors)

    @property
    def num_descriptors(self) -> int:
        """How many descriptors the network takes."""
        return len(self.statistics.names)

    def part_names(self, encoded: Any) -> dict[str, list[str]]:
        """Each group of atoms by its place, each descriptor by its name; each atom by its place."""
        if self.representation == "graph":
            atoms = [f"atom {place}" if there else "" for place, there in enumerate(encoded["mask"][0], start=1)]
            return {"atoms": atoms, "mask": atoms}
        groups = [f"group {place}" for place in range(1, self.bits + 1)]
        return {"fingerprint": groups, "descriptors": list(self.statistics.names)}

    def warm_input(self) -> dict[str, np.ndarray]:
        return self.encode({"smiles": "C"})

    # What comes out

    @property
    def outputs(self) -> tuple[Field, ...]:
        return (
            Field(name="answer", kind="text", label="In short"),
            Field(name="values", kind="table", label="Properties" if self.kind == "number" else "Probabilities"),
            Field(name="picture", kind="image", label="The molecule, coloured by what each atom adds", optional=True),
            Field(name="colours", kind="text", label="What the colours mean", optional=True),
            Field(name="domain", kind="text", label="Is it like the training molecules?", optional=True),
            Field(name="notes", kind="text", label="Mind this", optional=True),
            Field(name="canonical", kind="text", label="Canonical SMILES", optional=True),
            Field(
                name="similar",
                kind="gallery",
                label="The most similar training molecules, with what is known",
                optional=True,
            ),
            Field(name="results", kind="file", label="Download all results (CSV)", optional=True),
        )

    @property
    def output_names(self) -> tuple[str, ...]:
        """What the numbers of `explained` are called."""
        return self.targets

    def explained(self, outputs: Any) -> Any:
        """What is explained to those who look inside: the mean over the members, [examples, targets]."""
        from keras import ops

        return ops.mean(outputs[..., 0] if self.kind == "number" else outputs, axis=1)

    def predicted(self, outputs: np.ndarray) -> Predicted:
        """What the outputs of a network say, in the unit of the targets.

        Raises:
            SpecError: They are not as the task's network gives them.
        """
        import numpy as np

        from layerwise.tasks.molecules.predictions import numbers_of, probabilities_of

        outputs = np.asarray(outputs)
        wanted = (len(self.targets), 2) if self.kind == "number" else (len(self.targets),)
        if outputs.ndim != 2 + len(wanted) or outputs.shape[2:] != wanted:
            raise SpecError(
                "The network's outputs do not fit the task",
                expected=f"[examples, members, {', '.join(map(str, wanted))}]",
                received=f"shape {list(outputs.shape)}",
            )
        if self.kind == "yes-no":
            return probabilities_of(outputs)
        count = len(self.targets)
        return numbers_of(outputs, self.means or (0.0,) * count, self.deviations or (1.0,) * count, self.widths)

    def decode(self, outputs: np.ndarray) -> list[Answer]:
        """What is said of molecules that are not known here: "answer" and "values". The runner adds what belongs to the
        molecule."""
        from layerwise.tasks.molecules.answers import rows_of, sentence

        predicted = self.predicted(outputs)
        tables = [rows_of(self, predicted, place) for place in range(len(predicted.values))]
        return [{"answer": sentence(self, rows), "values": rows} for rows in tables]

    def runner(self, version: Version, spec: ModelSpec) -> Runner:
        from layerwise.tasks.molecules.runner import MoleculeRunner

        return MoleculeRunner(version, spec)

    # How it learns

    def fitted(self, train: Split, start: Task | None) -> Self:
        """This task with what it knows of its training molecules. Descriptors are standardised, and the values of the
        same targets, as by the task that a fine-tuning begins with."""
        from layerwise.tasks.molecules.learning import learned

        known = learned(self, train, start if isinstance(start, MoleculeProperty) else None)
        return dataclasses.replace(self, **known)

    def calibrated(self, outputs: Any, targets: np.ndarray) -> Self:
        """This task with the widths of its intervals, from molecules that the network has not learned from."""
        from layerwise.tasks.molecules.predictions import conformal_widths

        if self.kind == "yes-no":
            return self
        return dataclasses.replace(self, widths=conformal_widths(self.predicted(outputs), targets))

    def to_train_on(self, split: Split) -> Split:
        """The molecules of a split as the network takes them; graphs without the largest hundredth of them."""
        import numpy as np

        from layerwise.splits import Split
        from layerwise.tasks.molecules.standardise import read_molecule

        mols = [read_molecule(text).mol for text in np.asarray(split.inputs)]
        targets = np.asarray(split.targets, "float32")
        if self.representation == "graph":
            sizes = np.array([mol.GetNumAtoms() for mol in mols])
            most = min(int(np.quantile(sizes, PADDED_SHARE)), self.atoms)
            kept = np.flatnonzero(sizes <= most)
            return Split(self.encode_mols([mols[place] for place in kept], most), targets[kept])
        return Split(self.encode_mols(mols), targets)

    def loss(self, config: TrainingConfig) -> Callable:
        """See `layerwise.tasks.molecules.losses`."""
        from layerwise.tasks.molecules.losses import number_loss, yes_no_loss

        if self.kind == "yes-no":
            return yes_no_loss
        return lambda targets, outputs: number_loss(self._standardised(targets), outputs)

    def training_metrics(self) -> dict[str, Callable]:
        """The mean absolute error, in standard deviations; or the share of right guesses."""
        from layerwise.tasks.molecules.losses import absolute_error, right_share

        if self.kind == "yes-no":
            return {"accuracy": right_share}
        return {"mae_in_deviations": lambda targets, outputs: absolute_error(self._standardised(targets), outputs)}

    def _standardised(self, targets: Any) -> Any:
        from keras import ops

        if not self.means:
            return targets
        targets = ops.cast(targets, "float32")
        return (targets - ops.convert_to_tensor(self.means, "float32")) / ops.convert_to_tensor(
            self.deviations, "float32"
        )

    def evaluate(self, outputs: np.ndarray, targets: np.ndarray) -> dict[str, float]:
        """See `layerwise.tasks.molecules.metrics`."""
        from layerwise.tasks.molecules.metrics import number_metrics, yes_no_metrics

        measure = number_metrics if self.kind == "number" else yes_no_metrics
        return measure(self.predicted(outputs), targets)

    def report(self, outputs: Any, targets: np.ndarray, inputs: Any) -> Sequence[Plot]:
        """See `layerwise.tasks.molecules.report`."""
        from layerwise.tasks.molecules.report import report

        return report(self, self.predicted(outputs), targets, inputs)

    # A user's own data

    def read_folder(self, folder: Path) -> OwnData[Self]:
        """Molecules of a table or an SDF file: this task with the properties found there, and the splits "train" and
        "test". See `folder_format`.

        Raises:
            DataError: The file is not like that.
        """
        from layerwise.own_data import OwnData
        from layerwise.tasks.molecules.molecule_folder import read_molecules

        targets, splits, report = read_molecules(self, Path(folder))
        unit = self.unit if targets == self.targets else ""
        task = dataclasses.replace(self, targets=targets, unit=unit, means=(), deviations=(), widths=())
        return OwnData(task=task, splits=splits, report=report)

    def write_sample(self, folder: Path) -> None:
        """A table of well-known molecules with one or two properties that RDKit computes, whatever those of this task
        are."""
        from layerwise.tasks.molecules.molecule_sample import write_sample

        write_sample(self, folder)

    def read_to_measure(self, folder: Path) -> dict[str, Split]:
        """The splits of such data, with the properties of this task.

        Raises:
            DataError: One of them is not there.
        """
        from layerwise.tasks.molecules.molecule_folder import read_to_measure

        return read_to_measure(self, Path(folder))


def _unusable(name: str, expected: str, received: Any) -> SpecError:
    return SpecError(f"MoleculeProperty: {name} is not usable", expected=expected, received=repr(received))
