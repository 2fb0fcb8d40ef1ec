/** What a hand-described node holds; everything is spread evenly over two sockets and PCIe switches of two GPUs. */
export interface NcclNode {
  readonly gpus: number;
  readonly sm: number;
  /** NVLinks of each GPU to the NVSwitch; 0 for PCIe only. */
  readonly nvlinks: number;
  readonly nics: number;
  readonly nicGbps: number;
  readonly gigatransfers?: string;
  readonly vendor?: string;
}

/** Topology XML of such a node, as a scheduler might write it by hand. */
export function ncclNodeXml({ gpus, sm, nvlinks, nics, nicGbps, gigatransfers = '32.0', vendor = 'GenuineIntel' }: NcclNode): string {
  const link = `link_speed="${gigatransfers} GT/s PCIe" link_width="16"`;
  const gpu = (g: number): string =>
    `<pci busid="0000:${(16 + g).toString(16)}:00.0" class="0x030200" ${link}><gpu dev="${g}" sm="${sm}" rank="${g}" gdr="1">${
      nvlinks > 0 ? `<nvlink target="0000:e0:00.0" count="${nvlinks}" tclass="0x068000"/>` : ''
    }</gpu></pci>`;
  const nic = (i: number): string =>
    `<pci busid="0000:${(96 + i).toString(16)}:00.0" class="0x020000" ${link}><nic><net name="mlx5_${i}" dev="${i}" speed="${nicGbps * 1000}" port="1" latency="0" guid="0x${i + 1}" maxconn="131072" gdr="1"/></nic></pci>`;
  const switches = Math.ceil(gpus / 2);
  const pcie = (s: number): string => {
    const own = Array.from({ length: gpus }, (_, g) => g).filter((g) => Math.floor(g / 2) === s);
    const cards = Array.from({ length: nics }, (_, i) => i).filter((i) => i % switches === s);
    return `<pci busid="0000:${(64 + s).toString(16)}:00.0" class="0x060400" ${link}>${own.map(gpu).join('')}${cards.map(nic).join('')}</pci>`;
  };
  const socket = (c: number): string =>
    `<cpu numaid="${c}" arch="x86_64" vendor="${vendor}" familyid="${vendor === 'GenuineIntel' ? 6 : 25}" modelid="143">${Array.from(
      { length: switches },
      (_, s) => s,
    )
      .filter((s) => (s < switches / 2 ? 0 : 1) === c)
      .map(pcie)
      .join('')}</cpu>`;
  return `<system version="1">${socket(0)}${switches > 1 ? socket(1) : ''}</system>`;
}
