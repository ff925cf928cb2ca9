#!/usr/bin/env bash
# Runs the scenarios of the action's inputs, which come as environment variables.
set -euo pipefail

devnet=${DEVNET:-$SOURCE/target/release/devnet}
export MINICHAIN_BIN=${MINICHAIN:-$SOURCE/target/release/minichain}
out=${RUNNER_TEMP:-/tmp}/devnet-run
rm -rf "$out"
mkdir -p "$out"

{
    echo "junit=$out/junit.xml"
    echo "bundles=$out/bundles"
} >>"$GITHUB_OUTPUT"

arguments=(--engine "$ENGINE" --repeat "$REPEAT" --junit "$out/junit.xml")
[ -z "$SEED" ] || arguments+=(--seed "$SEED")
while IFS= read -r line; do
    [ -z "$line" ] || arguments+=(--set "$line")
done <<<"$SETS"

# Words and patterns are meant to be expanded.
# shellcheck disable=SC2206
files=($SCENARIOS)

# Paths stay relative, so that what failed is shown beside its line. Bundles, of
# runs that do not pass, go below the working folder.
rm -rf devnet-bundle
code=0
"$devnet" run "${files[@]}" "${arguments[@]}" || code=$?
[ ! -d devnet-bundle ] || mv devnet-bundle "$out/bundles"
# A cancelled or killed run may have left a network.
"$devnet" down --all --older-than 0s >/dev/null 2>&1 || true
echo "exit-code=$code" >>"$GITHUB_OUTPUT"
exit "$code"
