"""What `m2m_step.py` makes of the seconds it took: medians, ratios, bounds, a table."""

import functools
import statistics

import setting
from implementations import REFERENCE

STEPS = ("ordinary", "translation", "m2m")


def of(result, options):
    """What the JSON file holds."""
    rows = {
        name: _row(row)
        for name, row in result["implementations"].items()
        if row["seconds"]["m2m"]
    }
    for row in rows.values():
        for step in STEPS:
            row[step]["ratio"] = (
                row[step]["median"] / rows[REFERENCE][step]["median"]
                if REFERENCE in rows
                else None
            )
    rates = _median_rates(result.get("rates", []))
    others = {key: value for key, value in result.items() if key != "rates"}
    return {
        **others,
        "rates": rates,
        **_product_bound(rates, options),
        "launch_bound": _launch_bound(rates, rows),
        "implementations": rows,
    }


def spread(values):
    """Median, and the middle half of the values."""
    if len(values) == 1:
        low = middle = high = values[0]
    else:
        low, middle, high = statistics.quantiles(values, n=4, method="inclusive")
    return {"median": middle, "low": low, "high": high, "all": values}


def _row(row):
    seconds = row["seconds"]
    pairs = zip(seconds["m2m"], seconds["ordinary"], strict=True)
    times = {
        "ordinary": spread(seconds["ordinary"]),
        "translation": spread([m2m - ordinary for m2m, ordinary in pairs]),
        "m2m": spread(seconds["m2m"]),
    }
    return {**{k: v for k, v in row.items() if k != "seconds"}, **times}


def _median_rates(measured):
    names = measured[0] if measured else []
    return {name: statistics.median(each[name] for each in measured) for name in names}


def _product_bound(rates, options):
    """Seconds of the multiply-adds, at the rate of large products."""
    if not rates:
        return {}
    fastest = "bfloat16" if options.precision == "mixed_bfloat16" else "tf32"
    rate = rates.get(fastest, rates["float32"])
    per_pass = _multiply_adds(options)
    # Forwards and to the input through f and g; forwards, to the input and to the
    # weights in the ordinary step.
    kept = options.batch_size * setting.rows_translated(options, True)
    bound = {
        "ordinary": 3 * options.batch_size * per_pass / rate,
        "translation": 4 * options.steps * kept * per_pass / rate,
    }
    return {"multiply_adds_per_second": rate, "bound": bound}


def _launch_bound(rates, rows):
    """Seconds of the launches in graphs, of plain PyTorch's step with fewest kernels.

    On a GPU alone; one by one, launches take `seconds_per_launch`.
    """
    counted = {name: row["kernels"] for name, row in rows.items() if row.get("kernels")}
    if not counted or "seconds_per_launch_in_graph" not in rates:
        return None
    name = min(counted, key=lambda name: counted[name]["m2m"])
    seconds = {
        step: count * rates["seconds_per_launch_in_graph"]
        for step, count in counted[name].items()
    }
    translation = seconds["m2m"] - seconds["ordinary"]
    ordinary = seconds["ordinary"]
    return {"of": name, "ordinary": ordinary, "translation": translation}


def _multiply_adds(options):
    sizes = options.model, options.num_classes, options.image_size
    return _multiply_adds_of(*sizes)


@functools.cache
def _multiply_adds_of(model, num_classes, image_size):
    options = setting.arguments("").parse_args(
        [f"--model={model}", f"--num_classes={num_classes}"]
        + [f"--image_size={image_size}"]
    )
    return setting.multiply_adds(setting.keras_network(options))


def table(result):
    """The result in Markdown, in milliseconds on a GPU."""
    on_gpu = "gpu" in result["machine"]
    scale = 1e3 if on_gpu else 1
    lines = [
        "| | rows | ordinary step | translation | M2m step | ratio | first step | "
        "peak, GB | precision |",
        "|---|---|---|---|---|---|---|---|---|",
    ]
    for name, row in result["implementations"].items():
        times = [_times(row[step], scale) for step in STEPS]
        peak = (row.get("device_peak_bytes") or row.get("peak_bytes", 0)) / 1e9
        cells = [name, f"{row['rows']:.0f}", *times, _ratios(row)]
        cells += [f"{row['first_m2m_step']:.0f}", f"{peak:.2f}"]
        lines.append(f"| {' | '.join([*cells, row.get('precision', '')])} |")
    for name, key in {"bound": "bound", "launches alone": "launch_bound"}.items():
        bound = result.get(key)
        if bound:
            ordinary, translation = bound["ordinary"], bound["translation"]
            values = ordinary, translation, ordinary + translation
            cells = " | ".join(f"{scale * value:.2f}" for value in values)
            lines.append(f"| {name} | | {cells} | | | | |")
    return "\n".join(lines)


def _times(seconds, scale):
    values = {name: scale * seconds[name] for name in ("median", "low", "high")}
    return "{median:.2f} ({low:.2f}-{high:.2f})".format(**values)


def _ratios(row):
    if row["m2m"]["ratio"] is None:
        return ""
    return f"{row['m2m']['ratio']:.2f} ({row['ordinary']['ratio']:.2f} ordinary)"
