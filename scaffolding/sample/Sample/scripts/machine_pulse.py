"""What the machine is doing right now. The last expression is the result of the job."""

import os
import shutil

load, _, _ = os.getloadavg()
disk = shutil.disk_usage(".")

with open("/proc/meminfo") as meminfo:
    memory = {name: int(rest.split()[0]) for name, rest in (line.split(":") for line in meminfo)}

used = 100 * (1 - memory["MemAvailable"] / memory["MemTotal"])
print(f"load {load:.2f}, memory {used:.0f} % used, disk {disk.free / 2**30:.1f} GiB free")

{
    "load": load,
    "memory_used_percent": round(used, 1),
    "disk_free_bytes": disk.free,
}
