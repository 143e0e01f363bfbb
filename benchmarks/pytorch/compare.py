#!/usr/bin/env python3
"""The rows of TargetBenchmark in plain PyTorch, beside ours.

  java -jar benchmarks/target/benchmarks.jar TargetBenchmark -p device=cuda -rf json -rff ours.json
  python3 benchmarks/pytorch/compare.py --ours ours.json

Plain PyTorch is what a user would write without a sparse convolution library: kernel maps by
searchsorted on sorted keys; a convolution is gather, mm and index_add for each kernel offset; the
head is nn.MultiheadAttention and linear layers; attention is scaled_dot_product_attention. Times are
CUDA events around the call, the L2 flushed before it: the median of --repeats after --warmup.
Rows are measured in bf16 unless --dtype says otherwise; parameters stay in float32.
"""
import argparse
import json
import math
import pathlib
import re
import statistics
import sys

ROWS = [
    "convolution 32->32 forward on band:1000000",
    "convolution 32->32 forward+backward on band:1000000",
    "convolution 128->128 forward on band:1000000",
    "convolution 128->128 forward+backward on band:1000000",
    "convolution 32->32 forward on rmat:1000000",
    "convolution 128->128 forward on rmat:1000000",
    "convolution 32->32 map+forward on band:1000000",
    "tower C=128 forward+backward on nemspmm1_16x4_0.csr",
    "tower C=128 forward+backward on band:10000000",
    "step C=128 768 schedules on nemspmm1_16x4_0.csr",
    "head 768 schedules forward+backward on band:1000",
    "attention B=16384 L=25 H=8 D=32 forward",
    "rank 4096 schedules together on band:1000",
    "rank 64 schedules one by one on band:1000",
]
SHIFT = 32  # of the row in a key of (row, column)
FEATURES = 117  # of a pattern
TOKENS = 12  # of an SpMM schedule, the pattern's included
TOKEN_WIDTH = 128
FLUSHED_BYTES = 256 << 20  # twice the largest L2 that there is


def patterns(torch, device):
    """Functions from a matrix's name to its sorted (rows, columns)."""

    def band(nonzeros):
        rows = nonzeros // 9
        row = torch.arange(rows, device=device).repeat_interleave(9)
        column = row + torch.arange(-4, 5, device=device).repeat(rows)
        inside = (column >= 0) & (column < rows)
        return row[inside], column[inside]

    def rmat(nonzeros):
        generator = torch.Generator(device=device).manual_seed(1)
        row = torch.zeros(nonzeros, dtype=torch.int64, device=device)
        column = row.clone()
        for _ in range(max(10, int(math.log2(nonzeros / 8)))):
            drawn = torch.rand(nonzeros, device=device, generator=generator)
            row = row * 2 + (drawn >= 0.76).long()
            column = column * 2 + (((drawn >= 0.57) & (drawn < 0.76)) | (drawn >= 0.95)).long()
        return split(torch.unique(key(row, column)))

    def csr(path):
        words = torch.from_file(str(path), dtype=torch.int32, size=path.stat().st_size // 4)
        rows, _, nonzeros = words[:3].tolist()
        pointers = words[3 : 4 + rows].long()
        column = words[4 + rows : 4 + rows + nonzeros].long().to(device)
        row = torch.repeat_interleave(torch.arange(rows), pointers.diff()).to(device)
        return split(torch.unique(key(row, column)))

    def named(name, folder):
        kind, _, nonzeros = name.partition(":")
        if kind == "band":
            return band(int(nonzeros))
        if kind == "rmat":
            return rmat(int(nonzeros))
        path = folder / name
        if not path.exists():
            raise FileNotFoundError(f"no matrix {path}: give --matrices DIR")
        if path.suffix != ".csr":
            raise ValueError(f"{path}: only .csr files are read here")
        return csr(path)

    return named


def key(row, column):
    return (row << SHIFT) + column


def split(keys):
    return keys >> SHIFT, keys & ((1 << SHIFT) - 1)


def kernel_map(torch, sites, outputs, size, step):
    """For each kernel offset the pairs (input, output) that it joins, by binary search."""
    keys = key(*sites)
    half = size // 2
    pairs = []
    for column_offset in range(-half, half + 1):
        for row_offset in range(-half, half + 1):
            row = outputs[0] + row_offset * step
            column = outputs[1] + column_offset * step
            wanted = key(row, column)
            found = torch.searchsorted(keys, wanted).clamp_(max=len(keys) - 1)
            valid = (keys[found] == wanted) & (row >= 0) & (column >= 0)
            output = torch.nonzero(valid).squeeze(1)
            pairs.append((found[output], output))
    return pairs, len(outputs[0])


def convolve(torch, x, weight, mapped):
    pairs, count = mapped
    y = torch.zeros(count, weight.shape[2], device=x.device, dtype=x.dtype)
    for offset, (source, target) in enumerate(pairs):
        if len(source):
            y = y.index_add(0, target, x.index_select(0, source) @ weight[offset].to(x.dtype))
    return y


def layers(channels):
    """(in, out, kernel size, stride, dilation) of AutoSparseNet's thirteen layers."""
    inner = channels // 4
    hdc = [(channels, inner, 3, 1, 1), (inner, inner, 3, 1, 2), (inner, inner, 3, 1, 3)]
    strided = [(inner, channels, 3, 2, 1)] + [(channels, channels, 3, 2, 1)] * 2
    return [(1, channels, 5, 1, 1)] + hdc + strided + hdc + strided


def make_network(torch, channels, device):
    """AutoSparseNet as published: a tower, and a head over tokens."""
    nn = torch.nn

    class Network(nn.Module):
        def __init__(self):
            super().__init__()
            shapes = [(size * size, i, o) for i, o, size, _, _ in layers(channels)]
            self.weights = nn.ParameterList(
                nn.Parameter(torch.randn(k, i, o) * math.sqrt(2 / (o * k))) for k, i, o in shapes
            )
            pooled = sum(o for _, _, o in shapes)
            self.features = nn.Sequential(nn.Linear(pooled, 512), nn.ReLU(), nn.Linear(512, FEATURES))
            self.encoder = nn.Sequential(
                nn.Linear(TOKEN_WIDTH, 1024), nn.ReLU(), nn.Linear(1024, 256), nn.ReLU()
            )
            self.attention = nn.MultiheadAttention(256, 8, batch_first=True)
            self.residuals = nn.ModuleList(
                nn.Sequential(nn.Linear(256, 1024), nn.ReLU(), nn.Linear(1024, 256), nn.ReLU())
                for _ in range(2)
            )
            self.decoder = nn.Sequential(
                nn.Linear(256, 128), nn.ReLU(), nn.Linear(128, 64), nn.ReLU(), nn.Linear(64, 1)
            )

        def tower(self, x, maps):
            pools = []
            for weight, mapped in zip(self.weights, maps):
                x = torch.relu(convolve(torch, x, weight, mapped))
                pools.append(x.mean(0))
            return self.features(torch.cat(pools).float())

        def head(self, features, tokens):
            kind = torch.zeros(TOKEN_WIDTH - FEATURES, device=device)
            kind[-1] = 1
            pattern = torch.cat([kind, features]).expand(len(tokens), 1, TOKEN_WIDTH)
            x = self.encoder(torch.cat([tokens, pattern], 1))
            x, _ = self.attention(x, x, x, need_weights=False)
            for residual in self.residuals:
                x = x + residual(x)
            return self.decoder(x).sum(1).squeeze(1)

    return Network().to(device)


def tower_maps(torch, sites, channels):
    maps = []
    stride = 1
    for _, _, size, step, dilation in layers(channels):
        outputs = sites
        if step > 1:
            coarse = stride * step
            outputs = split(
                torch.unique(key(sites[0] // coarse * coarse, sites[1] // coarse * coarse))
            )
        maps.append(kernel_map(torch, sites, outputs, size, dilation * stride))
        if step > 1:
            sites = outputs
            stride *= step
    return maps


def margin_loss(torch, scores, speeds):
    """WACO's loss over all pairs."""
    first, second = torch.triu_indices(len(speeds), len(speeds), 1, device=scores.device)
    sign = torch.sign(speeds[first] - speeds[second])
    return torch.nn.functional.margin_ranking_loss(scores[first], scores[second], sign, margin=1)


class Bench:
    """Makes what a row measures, and measures it."""

    def __init__(self, torch, arguments):
        self.torch = torch
        self.device = "cuda"
        self.dtype = {"bf16": torch.bfloat16, "fp32": torch.float32}[arguments.dtype]
        self.arguments = arguments
        self.pattern = patterns(torch, self.device)
        self.flushed = torch.zeros(FLUSHED_BYTES // 4, device=self.device)

    def sites(self, name):
        return self.pattern(name, self.arguments.matrices)

    def milliseconds(self, work):
        torch = self.torch
        times = []
        for repeat in range(self.arguments.warmup + self.arguments.repeats):
            self.flushed.sum()
            start = torch.cuda.Event(enable_timing=True)
            end = torch.cuda.Event(enable_timing=True)
            start.record()
            work()
            end.record()
            end.synchronize()
            if repeat >= self.arguments.warmup:
                times.append(start.elapsed_time(end))
        return statistics.median(times)

    def measure(self, row):
        """Median milliseconds, peak bytes, schedules."""
        torch = self.torch
        torch.cuda.empty_cache()
        base = torch.cuda.memory_allocated()
        work, schedules = self.workload(row)
        torch.cuda.reset_peak_memory_stats()
        time = self.milliseconds(work)
        return time, torch.cuda.max_memory_allocated() - base, schedules

    def workload(self, row):
        what, _, matrix = row.partition(" on ")
        for pattern, make in (
            (r"convolution (\d+)->(\d+) (\S+)", self.convolution),
            (r"tower C=(\d+) forward\+backward", self.tower),
            (r"step C=(\d+) (\d+) schedules", self.step),
            (r"head (\d+) schedules forward\+backward", self.head),
            (r"attention B=(\d+) L=(\d+) H=(\d+) D=(\d+) forward", self.attention),
            (r"rank (\d+) schedules (together|one by one)", self.rank),
        ):
            found = re.fullmatch(pattern, what)
            if found:
                return make(matrix, *found.groups())
        raise ValueError(f"row '{row}': PyTorch has no counterpart here")

    def convolution(self, matrix, channels_in, channels_out, what):
        torch = self.torch
        sites = self.sites(matrix)
        mapped = kernel_map(torch, sites, sites, 3, 1)
        x = torch.randn(len(sites[0]), int(channels_in), device=self.device, dtype=self.dtype)
        weight = torch.randn(9, int(channels_in), int(channels_out), device=self.device) / 30
        dy = torch.randn(len(sites[0]), int(channels_out), device=self.device, dtype=self.dtype)

        def forward():
            with torch.no_grad():
                convolve(torch, x, weight, mapped)

        def map_and_forward():
            with torch.no_grad():
                convolve(torch, x, weight, kernel_map(torch, sites, sites, 3, 1))

        def forward_and_backward():
            x.grad = weight.grad = None
            convolve(torch, x, weight, mapped).backward(dy)

        if what == "forward+backward":
            x.requires_grad_()
            weight.requires_grad_()
        kinds = {
            "forward": forward,
            "map+forward": map_and_forward,
            "forward+backward": forward_and_backward,
        }
        return kinds[what], 0

    def network(self, matrix, channels):
        sites = self.sites(matrix)
        network = make_network(self.torch, int(channels), self.device)
        maps = tower_maps(self.torch, sites, int(channels))
        x = self.torch.ones(len(sites[0]), 1, device=self.device, dtype=self.dtype)
        return network, x, maps

    def tower(self, matrix, channels):
        network, x, maps = self.network(matrix, channels)

        def work():
            network.zero_grad()
            network.tower(x, maps).sum().backward()

        return work, 0

    def step(self, matrix, channels, schedules):
        torch = self.torch
        network, x, maps = self.network(matrix, channels)
        tokens = torch.rand(int(schedules), TOKENS - 1, TOKEN_WIDTH, device=self.device)
        speeds = torch.rand(int(schedules), device=self.device)
        optimizer = torch.optim.Adam(network.parameters(), 1e-4)

        def work():
            optimizer.zero_grad()
            margin_loss(torch, network.head(network.tower(x, maps), tokens), speeds).backward()
            optimizer.step()

        return work, int(schedules)

    def head(self, _, schedules):
        torch = self.torch
        network = make_network(torch, 128, self.device)
        tokens = torch.rand(int(schedules), TOKENS - 1, TOKEN_WIDTH, device=self.device)
        features = torch.rand(FEATURES, device=self.device)

        def work():
            network.zero_grad()
            network.head(features, tokens).sum().backward()

        return work, int(schedules)

    def rank(self, _, schedules, how):
        torch = self.torch
        network = make_network(torch, 128, self.device)
        tokens = torch.rand(int(schedules), TOKENS - 1, TOKEN_WIDTH, device=self.device)
        features = torch.rand(FEATURES, device=self.device)
        batches = tokens.split(1 if how == "one by one" else int(schedules))

        def work():
            with torch.no_grad():
                for batch in batches:
                    network.head(features, batch).cpu()

        return work, int(schedules)

    def attention(self, _, batch, length, heads, width):
        torch = self.torch
        shape = [int(n) for n in (batch, heads, length, width)]
        q, k, v = (torch.randn(shape, device=self.device, dtype=self.dtype) for _ in range(3))

        def work():
            torch.nn.functional.scaled_dot_product_attention(q, k, v)

        return work, 0


def ours(path):
    """Counters of each row of TargetBenchmark, by the row's name; means over JMH's iterations."""
    rows = {}
    for result in json.loads(path.read_text()):
        if not result["benchmark"].endswith(".TargetBenchmark.run"):
            continue
        rows[result["params"]["row"]] = {
            name: statistics.mean(value for fork in counter["rawData"] for value in fork)
            for name, counter in result["secondaryMetrics"].items()
        }
    if not rows:
        sys.exit(f"{path}: no result of TargetBenchmark in it")
    return rows


def table(headings, rows):
    widths = [max(len(row[c]) for row in [headings] + rows) for c in range(len(headings))]
    lines = []
    for row in [headings] + rows:
        cells = [row[0].ljust(widths[0])] + [c.rjust(w) for c, w in zip(row[1:], widths[1:])]
        lines.append("  ".join(cells))
    return "\n".join(lines)


def number(value, digits):
    return "-" if value is None else f"{value:.{digits}f}"


def find_torch():
    try:
        import torch
    except ImportError:
        sys.exit("PyTorch is not installed here (no module torch): the PyTorch rows need it and a GPU")
    if not torch.cuda.is_available():
        sys.exit(f"PyTorch {torch.__version__} sees no GPU: the PyTorch rows need one")
    torch.backends.cuda.matmul.allow_tf32 = True
    torch.backends.cudnn.allow_tf32 = True
    return torch


def parse():
    parser = argparse.ArgumentParser(
        description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter
    )
    parser.add_argument("--ours", type=pathlib.Path, help="what JMH wrote with -rf json")
    parser.add_argument("--only-pytorch", action="store_true", help="measure PyTorch alone")
    parser.add_argument("--rows", default="", help="only rows that match this regular expression")
    parser.add_argument(
        "--matrices", type=pathlib.Path, default=pathlib.Path("../shared/data/matrices")
    )
    parser.add_argument("--dtype", choices=["bf16", "fp32"], default="bf16")
    parser.add_argument("--warmup", type=int, default=2)
    parser.add_argument("--repeats", type=int, default=11)
    arguments = parser.parse_args()
    if (arguments.ours is None) != arguments.only_pytorch:
        parser.error("give either --ours FILE or --only-pytorch")
    if arguments.ours is not None and not arguments.ours.exists():
        parser.error(f"--ours {arguments.ours}: no such file")
    return arguments


def main():
    arguments = parse()
    beside = {} if arguments.only_pytorch else ours(arguments.ours)
    torch = find_torch()
    print(f"PyTorch {torch.__version__}, {torch.cuda.get_device_name()}, {arguments.dtype}", flush=True)
    bench = Bench(torch, arguments)
    rows = []
    for row in ROWS:
        if not re.search(arguments.rows, row):
            continue
        note = ""
        time = peak = None
        schedules = 0
        try:
            time, peak, schedules = bench.measure(row)
        except torch.cuda.OutOfMemoryError:
            note = "PyTorch: out of memory"
        except FileNotFoundError as missing:
            note = str(missing)
        mine = beside.get(row, {})
        my_time = mine.get("timeMs")
        rate = schedules / time * 1e3 if schedules and time else None
        rows.append(
            [
                row,
                number(time, 3),
                number(my_time, 4),
                number(time / my_time if time and my_time else None, 1),
                number(peak / 1e6 if peak else None, 0),
                number(mine.get("peakMegabytes"), 0),
                number(rate, 0),
                number(mine.get("schedulesPerSecond") or None, 0),
                number(mine.get("share") or None, 3),
                note,
            ]
        )
        print(f"  {row}: {number(time, 3)} ms {note}", flush=True)
    headings = ["row", "PyTorch ms", "ours ms", "ratio", "PyTorch MB", "ours MB"]
    headings += ["PyTorch schedules/s", "ours schedules/s", "our share", ""]
    print()
    print(table(headings, rows))


if __name__ == "__main__":
    main()
