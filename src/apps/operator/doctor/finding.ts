/** What is looked at, by its stable name. Scripts look for these: a name is never given another meaning. */
export const checks = {
  system: 'operating system, kernel, container or virtual machine',
  versions: 'Wattmill, Node, SQLite and llama.cpp bindings',
  cpu: 'cores, of these usable, control group quota, vector instructions',
  memory: 'available memory, control group limit',
  accelerators: 'GPUs, as nvidia-smi and rocm-smi list them',
  'energy-meter': 'whether the energy of this machine is measured or estimated, and why',
  'open-files': 'how many sockets and files a process may hold open',
  clock: 'whether a time server keeps it, and whether it has gone back behind the books',
  config: 'wattmill.yaml of the current folder',
  port: 'whether the port is free, or where the factory listens',
  network: 'who can reach the port, and with or without TLS',
  certificate: 'whether it can be read, fits its key, and until when it holds',
  'disk-free': 'room on the disk of the home',
  'disk-kind': 'whether what is on that disk lasts',
  'disk-sync': 'how long a flush takes: each commit waits for one',
  'home-permissions': 'that only its owner can read the home',
  'admin-key': 'that it is there, long enough, and not open to others',
  factory: 'whether there is one, and whether it runs',
  gateways: 'how many answer, how many are ready',
  journal: 'whether every gateway can write its journal',
  'journal-room': 'how much of the bound of journals and engine logs is used',
  'engine-host': 'whether the embedded engine answers',
  engines: 'engines that drain or do not answer',
  telemetry: 'engines and exporters whose metrics are read: whether they answer',
  models: 'what is served',
  'model-price': 'models without a price',
  'model-file': 'model files that are gone',
  'model-load': 'models that the embedded engine could not load',
  'books-lag': 'how far the books are behind',
  'books-stopped': 'since when the books take nothing in, and what happens next',
  attribution: "per meter: how far it is from what the engine's steps explain",
  'books-quarantine': 'rows that contradict the books',
} as const

export type CheckName = keyof typeof checks

/** One thing that was looked at. What is amiss comes with a fix: a command, or a deed. */
export type Finding = { readonly check: CheckName; readonly found: string } & (
  | { readonly state: 'good' }
  | { readonly state: 'warning' | 'bad'; readonly fix: string }
)

export const good = (check: CheckName, found: string): Finding => ({ check, state: 'good', found })
export const warning = (check: CheckName, found: string, fix: string): Finding => ({
  check,
  state: 'warning',
  found,
  fix,
})
export const bad = (check: CheckName, found: string, fix: string): Finding => ({ check, state: 'bad', found, fix })
