#!/usr/bin/env bash
# Runs the scenarios of the action's inputs, which come as environment variables.
set -euo pipefail

devnet=${DEVNET:-$SOURCE/target/release/devnet}
export MINICHAIN_BIN=${MINICHAIN:-$SOURCE/target/release/minichain}
out=${RUNNER_TEMP:-/tmp}/devnet-run
rm -rf "$out"
mkdir -p "$out"
# Networks of this job alone, so that cleaning up touches nobody else's.
export DEVNET_STATE=$out/state

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
"$devnet" run "${files[@]}" "${arguments[@]}" >"$out/answer.txt" || code=$?
cat "$out/answer.txt"
[ ! -d devnet-bundle ] || mv devnet-bundle "$out/bundles"
if [ -n "${GITHUB_STEP_SUMMARY:-}" ]; then
    {
        echo "### Scenarios on $ENGINE: exit code $code"
        echo '```'
        cat "$out/answer.txt"
        # The story of each run that did not pass.
        find "$out/bundles" -name story.txt -exec cat {} + 2>/dev/null || true
        echo '```'
    } >>"$GITHUB_STEP_SUMMARY"
fi
# Empty, unless a network is left for the clean-up that follows.
rm -rf "$DEVNET_STATE/.locks"
rmdir "$DEVNET_STATE" 2>/dev/null || true
echo "exit-code=$code" >>"$GITHUB_OUTPUT"
exit "$code"
