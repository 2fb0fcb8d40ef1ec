#!/usr/bin/env python3
"""Measures on one GPU what the training model assumes: matrix multiplies by shape and format, HBM bandwidth, attention, and the memory of
real transformer layers with their optimizer.

    python3 bench/gpu/measure.py > measured.json        (PyTorch 2.2 or newer with CUDA or ROCm; two to five minutes)
    node bench/gpu/compare.mjs measured.json            (what the model says of the same)

Every figure is the median of repeated runs after a warm-up, timed with events on the device. Memory is what the allocator peaks at, less
what was held before.
"""
import json
import platform
import sys

import torch

DEVICE = torch.device("cuda")


def seconds(run, repeats=20):
    """Median time of a call on the device."""
    for _ in range(3):
        run()
    torch.cuda.synchronize()
    times = []
    for _ in range(repeats):
        start, end = torch.cuda.Event(enable_timing=True), torch.cuda.Event(enable_timing=True)
        start.record()
        run()
        end.record()
        torch.cuda.synchronize()
        times.append(start.elapsed_time(end) / 1e3)
    return sorted(times)[len(times) // 2]


def multiplies():
    """Matrix multiplies M x N x K: those of Llama layers over tensor ranks, and squares."""
    shapes = {(m, m, m) for m in (256, 512, 1024, 2048, 4096, 8192, 16384)}
    for tokens in (512, 2048, 4096, 8192, 16384):
        for hidden, ffn in ((1024, 4096), (4096, 14336), (8192, 28672)):
            for tensor in (1, 2, 4, 8):
                shapes |= {(tokens, 3 * hidden // tensor, hidden), (tokens, hidden, hidden // tensor), (tokens, ffn // tensor, hidden), (tokens, hidden, ffn // tensor)}
    rows = []
    for m, n, k in sorted(shapes):
        for name, dtype in (("bf16", torch.bfloat16), ("fp16", torch.float16), ("fp32", torch.float32)):
            if name == "fp32" and m * n * k > 2**36:
                continue
            try:
                a, b = torch.randn(m, k, device=DEVICE, dtype=dtype), torch.randn(k, n, device=DEVICE, dtype=dtype)
                rows.append({"m": m, "n": n, "k": k, "format": name, "seconds": seconds(lambda a=a, b=b: a @ b)})
            except RuntimeError:
                continue
    if hasattr(torch, "_scaled_mm") and hasattr(torch, "float8_e4m3fn"):
        one = torch.tensor(1.0, device=DEVICE)
        for m, n, k in ((4096, 4096, 4096), (8192, 8192, 8192), (16384, 16384, 16384), (8192, 28672, 8192)):
            try:
                a = torch.randn(m, k, device=DEVICE).to(torch.float8_e4m3fn)
                b = torch.randn(n, k, device=DEVICE).to(torch.float8_e4m3fn).t()
                call = lambda a=a, b=b: torch._scaled_mm(a, b, scale_a=one, scale_b=one, out_dtype=torch.bfloat16)
                rows.append({"m": m, "n": n, "k": k, "format": "fp8", "seconds": seconds(call)})
            except (RuntimeError, TypeError):
                continue
    return rows


def bandwidth():
    """Copies of large arrays: bytes read and written per second."""
    rows = []
    for size in (2**26, 2**28, 2**30):
        a = torch.empty(size, device=DEVICE, dtype=torch.uint8)
        b = torch.empty_like(a)
        rows.append({"bytes": size, "bytesPerSecond": 2 * size / seconds(lambda: b.copy_(a))})
    return rows


def attention():
    """Causal attention, forward and backward, by the fused kernel that the framework picks."""
    rows = []
    for sequence in (1024, 2048, 4096, 8192, 16384):
        for heads, width in ((32, 128), (16, 64)):
            q, k, v = (torch.randn(1, heads, sequence, width, device=DEVICE, dtype=torch.bfloat16, requires_grad=True) for _ in range(3))
            call = lambda: torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
            grad = torch.randn_like(q)
            forward = seconds(call)

            def both():
                call().backward(grad)
                q.grad = k.grad = v.grad = None

            rows.append({"sequence": sequence, "heads": heads, "headDim": width, "forward": forward, "backward": seconds(both) - forward})
    return rows


class Layer(torch.nn.Module):
    """A Llama layer, written out so that nothing is fused behind our back."""

    def __init__(self, hidden, heads, kv_heads, ffn):
        super().__init__()
        self.heads, self.kv_heads, self.width = heads, kv_heads, hidden // heads
        linear = lambda n_in, n_out: torch.nn.Linear(n_in, n_out, bias=False)
        self.qkv = linear(hidden, (heads + 2 * kv_heads) * self.width)
        self.out, self.gate, self.up, self.down = linear(hidden, hidden), linear(hidden, ffn), linear(hidden, ffn), linear(ffn, hidden)
        self.norms = torch.nn.ParameterList([torch.ones(hidden), torch.ones(hidden)])

    def norm(self, x, i):
        wide = x.float()
        return (wide * torch.rsqrt(wide.pow(2).mean(-1, keepdim=True) + 1e-5)).to(x.dtype) * self.norms[i].to(x.dtype)

    def forward(self, x):
        batch, sequence, hidden = x.shape
        q, k, v = self.qkv(self.norm(x, 0)).split([self.heads * self.width, self.kv_heads * self.width, self.kv_heads * self.width], -1)
        q = q.view(batch, sequence, self.heads, self.width).transpose(1, 2)
        k, v = (t.view(batch, sequence, self.kv_heads, self.width).transpose(1, 2) for t in (k, v))
        repeat = self.heads // self.kv_heads
        k, v = k.repeat_interleave(repeat, 1), v.repeat_interleave(repeat, 1)
        y = torch.nn.functional.scaled_dot_product_attention(q, k, v, is_causal=True)
        x = x + self.out(y.transpose(1, 2).reshape(batch, sequence, hidden))
        y = self.norm(x, 1)
        return x + self.down(torch.nn.functional.silu(self.gate(y)) * self.up(y))


def layers():
    """What a layer keeps for its backward pass, its time, and what its optimizer holds."""
    rows = []
    for hidden, heads, kv_heads, ffn in ((2048, 16, 16, 5632), (4096, 32, 8, 14336), (8192, 64, 8, 28672)):
        for sequence in (2048, 8192):
            torch.cuda.empty_cache()
            try:
                layer = Layer(hidden, heads, kv_heads, ffn).to(DEVICE, torch.bfloat16)
                x = torch.randn(1, sequence, hidden, device=DEVICE, dtype=torch.bfloat16, requires_grad=True)
                torch.cuda.synchronize()
                before = torch.cuda.memory_allocated()
                y = layer(x)
                torch.cuda.synchronize()
                kept = torch.cuda.memory_allocated() - before - y.numel() * y.element_size()
                y.sum().backward()
                forward = seconds(lambda: layer(x))

                def both():
                    layer(x).sum().backward()

                total = seconds(both)
                parameters = sum(p.numel() for p in layer.parameters())
                before = torch.cuda.memory_allocated()
                optimizer = torch.optim.AdamW(layer.parameters())
                optimizer.step()
                torch.cuda.synchronize()
                rows.append(
                    {
                        "hidden": hidden, "heads": heads, "kvHeads": kv_heads, "ffn": ffn, "sequence": sequence, "parameters": parameters,
                        "activationBytes": kept, "forward": forward, "backward": total - forward,
                        "optimizerBytesPerParameter": (torch.cuda.memory_allocated() - before) / parameters,
                    }
                )
                del layer, x, y, optimizer
            except torch.cuda.OutOfMemoryError:
                continue
    return rows


def main():
    if not torch.cuda.is_available():
        sys.exit("measure.py: PyTorch sees no GPU")
    properties = torch.cuda.get_device_properties(0)
    json.dump(
        {
            "schema": "fabricplan/gpu/1",
            "gpu": properties.name,
            "memory": properties.total_memory,
            "torch": torch.__version__,
            "cuda": torch.version.cuda or torch.version.hip,
            "python": platform.python_version(),
            "multiplies": multiplies(),
            "bandwidth": bandwidth(),
            "attention": attention(),
            "layers": layers(),
        },
        sys.stdout,
        indent=1,
    )


main()
