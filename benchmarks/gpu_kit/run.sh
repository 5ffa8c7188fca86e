#!/usr/bin/env bash
# Measures keras_m2m on a machine with a GPU and without a network:
#
#     bash run.sh SECONDS [PART ...]
#
# PARTs, by default all, in this order:
#   steps  what a step costs: JAX, PyTorch, plain PyTorch; 10 and 100 classes
#   table  CIFAR-LT-10 of rho 100 on JAX by the paper's protocol, seed after seed
#   more   the same by AT_ONCE processes (3), which share the trainings that are left
# Each has a limit of its own and ends in an orderly way. What is done stays in $WORK,
# and the same command goes on from there.
#
# $OUT gets, written anew as they come: steps-10.json, steps-100.json, and runs.tar.gz
# with logs/, table1.md and results/, which a checkout reads:
#     tar -xzf runs.tar.gz results && python -m tasks.table --table=1 --found cifar_lt
#
# Others to set: PYTHON, SEEDS (3), ROWS, STEP_FLAGS and TABLE_FLAGS (further ones).
set -u

budget=${1:?usage: bash run.sh SECONDS [steps] [table] [more]}
shift
parts=" ${*:-steps table more} "
kit=$(cd "$(dirname "${BASH_SOURCE[0]}")" && pwd)
out=${OUT:-$kit/results}
work=${WORK:-$kit-work}
python=${PYTHON:-python3}
seeds=${SEEDS:-3}
rows=${ROWS:-ce-erm,ce-drs,ce-m2m,ldam-drw,ldam-m2m}
mkdir -p "$out" "$work/logs" "$work/results"
out=$(cd "$out" && pwd)
work=$(cd "$work" && pwd)

export PYTHONPATH=$work/site:$kit/checkout
export XLA_PYTHON_CLIENT_PREALLOCATE=false
export JAX_COMPILATION_CACHE_DIR=$work/compiled
export JAX_PERSISTENT_CACHE_MIN_COMPILE_TIME_SECS=1

# A file is there as a whole: it is written aside and renamed.
bundle() {
  tar -C "$work" -czf "$work/runs.part" logs results && cp "$work/runs.part" \
    "$out/.runs.part" && mv "$out/.runs.part" "$out/runs.tar.gz"
}

# Seconds until a share of the budget, in hundredths, is over.
until_share() { echo $((budget * $1 / 100 - SECONDS)); }

# begin SECONDS LOG COMMAND...: starts a command that SIGTERM ends after so long.
begin() {
  local limit=$1 log=$work/logs/$2.txt
  shift 2
  [ "$limit" -gt 0 ] || { echo "no time for: $*"; return 1; }
  echo "up to $limit s: $*" | tee -a "$log"
  timeout --signal=TERM --kill-after=20 "$limit" "$@" >>"$log" 2>&1 &
}

# Waits for the command begun last. 124 stands for one that its limit ended.
finish() {
  wait $!
  echo "ended with $? after $SECONDS s in all"
}

steps() {
  begin "$(until_share "$2")" "steps-$1" "$python" \
    "$kit/checkout/benchmarks/m2m_step.py" "--num_classes=$1" \
    "--seconds=$(($(until_share "$2") - 10))" "--json=$out/steps-$1.json" \
    --together=4 ${STEP_FLAGS:-} && finish
}

# table SHARE NAME: rows of table 1; what is there already is not run again.
table() {
  KERAS_BACKEND=jax begin "$(until_share "$1")" "$2" "$python" -m tasks.table \
    --table=1 "--seeds=$seeds" "--rows=$rows" "--results=$work/results" \
    "--runs=$work/runs" "--out=$work/logs/$2" cifar_lt "--data_dir=$kit/data" \
    ${TABLE_FLAGS:-}
}

has() { [[ $parts == *" $1 "* ]]; }

if [ ! -e "$work/installed" ]; then
  "$python" -m pip install --quiet --no-index --no-deps --target "$work/site" \
    "$kit"/wheels/*.whl && touch "$work/installed"
fi
cd "$kit/checkout" || exit 1
{
  cat COMMIT
  nvidia-smi
  "$python" -c "from tasks.records.versions import versions; print(versions())"
} >"$work/logs/machine.txt" 2>&1
cat "$work/logs/machine.txt"

while sleep 15; do bundle; done >/dev/null 2>&1 &
trap 'kill $(jobs -p) 2>/dev/null; wait; bundle' EXIT
trap 'exit 143' TERM INT

# The last part that is wanted has all that is left but the seconds to end in.
last=$(((budget - 15) * 100 / budget))
if has steps; then
  if has table || has more; then share=(18 35); else share=($((last / 2)) "$last"); fi
  steps 10 "${share[0]}"
  steps 100 "${share[1]}"
fi
if has table; then
  if has more; then share=75; else share=$last; fi
  table "$share" table1 && finish
fi
if has more; then
  pids=()
  for i in $(seq "${AT_ONCE:-3}"); do
    table "$last" "table1-$i" && pids+=($!)
  done
  # Without a name it would wait for what bundles, too.
  [ ${#pids[@]} -eq 0 ] || wait "${pids[@]}"
  echo "ended after $SECONDS s in all"
fi
