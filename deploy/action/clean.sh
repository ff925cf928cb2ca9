#!/usr/bin/env bash
# Removes networks that a cancelled run of this job has left, and puts the
# bundles where the artifact is made from.
set -euo pipefail

devnet=${DEVNET:-$SOURCE/target/release/devnet}
out=${RUNNER_TEMP:-/tmp}/devnet-run
export DEVNET_STATE=$out/state

for folder in "$DEVNET_STATE"/*/; do
    [ ! -d "$folder" ] || "$devnet" down --name "$(basename "$folder")" || true
done
if [ -d devnet-bundle ]; then
    mkdir -p "$out"
    mv devnet-bundle "$out/bundles"
fi
