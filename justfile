# Shortcuts for contributors (https://just.systems); each line can be typed by hand too.

venv := ".venv"

# Set up for development
setup:
    python3 -m venv {{venv}}
    {{venv}}/bin/pip install --editable ".[dev]"

# The fast tests
test:
    {{venv}}/bin/pytest

# Formatting, lint, types and the direction of imports
lint:
    {{venv}}/bin/ruff format .
    {{venv}}/bin/ruff check .
    {{venv}}/bin/pyright
    {{venv}}/bin/lint-imports

# Everything that continuous integration runs, from nothing
ci:
    bash .ci/run

# Which small mistakes in the modules that pyproject.toml names does no test notice?
mutate *words:
    mkdir -p build/mutation/mutants/src
    ln -sfn ../../core build/mutation/src
    ln -sfn ../../tests build/mutation/tests
    ln -sf ../../pyproject.toml build/mutation/pyproject.toml
    cd build/mutation && PYTHONPATH="$PWD/mutants/src:$PWD/../../plugins:$PWD/../../apps" \
        LAYERWISE_ISOLATION=off KERAS_BACKEND=numpy ../../{{venv}}/bin/mutmut run {{words}}

# The site of the documents, into build/site; a warning is an error
docs:
    {{venv}}/bin/sphinx-build --fail-on-warning --keep-going --fresh-env -c docs -d build/doctrees . build/site

# Start the showcase
serve:
    {{venv}}/bin/layerwise serve
