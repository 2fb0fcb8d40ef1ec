import { Command, CommanderError, Option } from 'commander';
import { FabricPlanError } from '../errors.js';
import { COLLECTIVE_OPERATIONS } from '../collectives/types.js';
import { ATTENTION_KERNELS, OPTIMIZERS, PIPELINE_SCHEDULES, PRECISIONS, RECOMPUTATIONS } from '../training/types.js';
import { estimate, type EstimateOptions } from './commands/estimate.js';
import { diagnoseCommand, type DiagnoseOptions } from './commands/diagnose.js';
import { validateCollectives, type ValidateCollectivesOptions } from './commands/validate-collectives.js';
import { validateTraining, type ValidateTrainingOptions } from './commands/validate-training.js';
import { convert, type ConvertOptions } from './commands/convert.js';
import { inspect, type InspectOptions } from './commands/inspect.js';
import { ncclTuner, TUNER_TABLES, type NcclTunerOptions } from './commands/nccl-tuner.js';
import { memory, type MemoryOptions } from './commands/memory.js';
import { optimum, type OptimumOptions } from './commands/optimum.js';
import { plan, type PlanOptions } from './commands/plan.js';
import { upgrade, type UpgradeCommandOptions } from './commands/upgrade.js';
import { FRAMEWORKS } from '../launch/index.js';
import { OBJECTIVES } from '../placement/objective.js';
import { descriptionJsonSchema } from '../formats/description-schema.js';
import { TOPOLOGY_WRITERS } from '../formats/write-topology.js';
import { EXIT } from './output.js';
import { VERSION } from './version.js';

function createProgram(finish: (code: number) => void): Command {
  const program = new Command('fabricplan')
    .description(
      'Interconnect-aware topology planner: prices collectives over any GPU fabric, places training jobs on it, and says which link to buy next.',
    )
    .version(VERSION)
    .showHelpAfterError('(add --help for what the command takes)')
    .showSuggestionAfterError()
    .exitOverride();
  const file =
    'topology files of any known format, composed where there are several; PLACE=FILE says where one belongs; - for standard input';
  /** A command that opens topology files. */
  const opening = (name: string, description: string): Command =>
    program
      .command(name)
      .description(description)
      .argument('[files...]', file)
      .option('--from <format>', 'format of the files (default: by content)')
      .option('--labels <keys>', 'Kubernetes label keys of the topology, broad to narrow, separated by commas')
      .option(
        '--assume <what>',
        'what to take where the files do not say, such as hopper,link=400Gb/s,oversubscription=2 (default: nothing)',
      );
  opening('inspect', 'what files hold, as it was understood')
    .option('--system <id[:gpus]>', 'a known system instead of a file, such as jean-zay-h100:64')
    .option('--fabric', 'print the full fabric as JSON')
    .option('--json', 'print an object for machines')
    .action((files: string[], options: InspectOptions) => {
      finish(inspect(files, options));
    });
  opening('convert', 'write topology files in another format')
    .addOption(new Option('--to <format>', 'format to write').choices(TOPOLOGY_WRITERS.map(({ name }) => name)).makeOptionMandatory())
    .option('--out <file>', 'file to write (default: standard output)')
    .action((files: string[], options: ConvertOptions) => {
      convert(files, options);
    });
  opening('estimate', 'what a collective costs')
    .option('--system <id[:gpus]>', 'a known system instead of a file')
    .addOption(new Option('--operation <name>', 'collective operation').choices([...COLLECTIVE_OPERATIONS]).default('all-reduce'))
    .option('--bytes <sizes>', 'total buffer sizes, separated by commas', '1 MiB,16 MiB,256 MiB,1 GiB')
    .option('--ranks <count>', 'number of GPUs, in locality order (default: all)')
    .option('--algorithm <name>', 'one algorithm instead of the fastest')
    .addOption(
      new Option('--model <name>', 'first-principles (any graph), or measured (constants fitted to public measurements)')
        .choices(['first-principles', 'measured'])
        .default('first-principles'),
    )
    .option('--json', 'print an object for machines')
    .action((files: string[], options: EstimateOptions) => {
      estimate(files, options);
    });
  program
    .command('memory')
    .description('memory of the fullest GPU of a training job')
    .argument('<model>', 'model name, size such as 70B, or a Hugging Face config.json')
    .option('--sequence <tokens>', 'tokens of a sequence', '4096')
    .option('--batch <sequences>', 'sequences of a step (default: one micro-batch per stage and replica)')
    .option('--tensor <degree>', 'tensor-parallel degree', '1')
    .option('--pipeline <degree>', 'pipeline stages', '1')
    .option('--data <degree>', 'data-parallel replicas', '1')
    .option('--micro-batch <sequences>', 'sequences of a micro-batch', '1')
    .addOption(new Option('--zero <stage>', 'ZeRO stage').choices(['0', '1', '2', '3']).default('1'))
    .addOption(new Option('--recompute <what>', 'recomputation').choices([...RECOMPUTATIONS]).default('selective'))
    .addOption(new Option('--precision <format>', 'number format').choices([...PRECISIONS]).default('bf16'))
    .option('--context <degree>', 'context-parallel degree', '1')
    .option('--expert <degree>', 'expert-parallel degree', '1')
    .option('--interleave <chunks>', 'model chunks per pipeline rank', '1')
    .addOption(new Option('--schedule <name>', 'pipeline schedule').choices([...PIPELINE_SCHEDULES]).default('1f1b'))
    .addOption(new Option('--optimizer <name>', 'optimizer').choices([...OPTIMIZERS]).default('adam'))
    .addOption(
      new Option('--gradient-bytes <bytes>', 'bytes of an accumulated gradient: Megatron-LM keeps 4').choices(['2', '4']).default('2'),
    )
    .addOption(new Option('--attention <kernel>', 'attention kernel').choices([...ATTENTION_KERNELS]).default('overlapped'))
    .option('--offload', 'optimizer states in host memory')
    .option('--gpu <model>', 'say whether it fits this GPU')
    .option('--json', 'print an object for machines')
    .action((model: string, options: MemoryOptions) => {
      finish(memory(model, options));
    });
  opening('plan', 'where and how to run a training job')
    .option('--system <id[:gpus]>', 'a known system instead of a file')
    .option('--model <name>', 'model name, size, or a Hugging Face config.json, instead of the one described')
    .option('--sequence <tokens>', 'tokens of a sequence')
    .option('--batch <sequences>', 'sequences of a step')
    .option('--tokens-per-step <count>', 'tokens of a step, such as 16.8M')
    .addOption(new Option('--precision <format>', 'number format').choices([...PRECISIONS]))
    .option('--overlap <share>', 'share of the step that may hide data-parallel traffic')
    .option('--gpus <count>', 'number of GPUs, "fewest", or "any" for what is best (default: all)')
    .option('--strategy <name...>', 'only these strategies')
    .addOption(new Option('--objective <name>', 'what to minimise').choices([...OBJECTIVES]).default('time'))
    .option('--tokens <count>', 'tokens of the whole run, such as 15T: adds its time, GPU-hours, price and energy')
    .option('--price <euros>', 'price of a GPU for an hour')
    .option('--deadline <time>', 'longest run, such as 30 d (needs --tokens)')
    .option('--budget <euros>', 'dearest run (needs --tokens and --price)')
    .option('--pareto <names>', 'also list what none beats in all of these objectives, separated by commas')
    .option('--launch <folder>', 'write what launches the best placement: flags, rank and host files, torchrun, Slurm, Kueue')
    .addOption(new Option('--framework <name>', 'training software to launch').choices([...FRAMEWORKS]).default('megatron'))
    .option('--limit <count>', 'placements to list', '3')
    .option('--outer-every <steps>', 'steps between synchronisations across sites for low-communication training')
    .option('--ranks', 'list the GPUs of every placement in rank order (with --json)')
    .option('--seed <number>', 'accepted for scripts; the search is deterministic and uses no randomness')
    .option('--html <file>', 'write a page with map and charts')
    .option('--markdown', 'print Markdown')
    .option('--json', 'print an object for machines')
    .action((files: string[], options: PlanOptions) => {
      finish(plan(files, options));
    });
  program
    .command('upgrade')
    .description('which links to buy next, by saved time per euro')
    .argument('<file>', 'description with sites and a job; - for standard input')
    .option('--strategy <name>', 'placement whose step is to get shorter', 'data-across-sites')
    .option('--budget <euros>', 'euros to spend (default: no limit)')
    .option('--overlap <share>', 'share of the step that may hide data-parallel traffic')
    .option('--offers <file>', 'price list: offers in YAML or JSON (default: 400G waves from the price table)')
    .option('--limit <count>', 'purchases at most', '20')
    .option('--json', 'print an object for machines')
    .action((path: string, options: UpgradeCommandOptions) => {
      finish(upgrade(path, options));
    });
  program
    .command('nccl-tuner')
    .description("what NCCL's own search and tuner would find and choose")
    .argument('<topology>', 'NCCL topology XML of one node; - for standard input')
    .option('--nodes <counts>', 'numbers of nodes, separated by commas', '1,2,16')
    .option('--bytes <sizes>', 'total buffer sizes, separated by commas (default: 1 KiB to 4 GiB in steps of four)')
    .addOption(
      new Option('--tables <set>', 'constants of the tuner (default: by the vendor of the GPUs)').choices(Object.keys(TUNER_TABLES)),
    )
    .option('--json', 'print graphs, latencies and times for machines')
    .action((file: string, options: NcclTunerOptions) => {
      ncclTuner(file, options);
    });
  const validate = program.command('validate').description('hold measurements against the models');
  validate
    .command('collectives')
    .description('measured collectives against the measured model')
    .requiredOption('--measurements <file>', 'CSV with set_id, collective, nranks, nodes, size_bytes, time_us; or an nccl-tests log')
    .option('--systems <file>', 'JSON list that describes the machine of every set (needed for CSV)')
    .option('--calibrate <how>', 'none, or rows:K to give K sizes of each curve, chosen by the library', 'none')
    .option('--json', 'print an object for machines')
    .action((options: ValidateCollectivesOptions) => {
      validateCollectives(options);
    });
  validate
    .command('training')
    .description('measured training runs against the step and memory models')
    .requiredOption('--runs <file>', 'CSV with gpu, gpus, a model (layers and hidden, a name or params_b), tp, pp, dp, mbs, gbs, iter_s, …')
    .option('--json', 'print an object for machines')
    .action((options: ValidateTrainingOptions) => {
      validateTraining(options);
    });
  program
    .command('diagnose')
    .description('which nodes or links are slow')
    .argument('[logs...]', 'nccl-tests logs of single nodes, pairs or groups')
    .option('--pairs <file>', 'CSV with node_a, node_b, gpus_per_node, bytes, busbw_GBps')
    .option('--systems <file>', 'JSON description of the machine, for what healthy hardware should reach')
    .option('--json', 'print an object for machines')
    .action((logs: string[], options: DiagnoseOptions) => {
      diagnoseCommand(logs, options);
    });
  opening('optimum', 'the best any schedule can do, and the cut that limits it')
    .option('--system <id[:gpus]>', 'a known system instead of a file')
    .option('--ranks <count>', 'number of GPUs, in locality order (default: all)')
    .addOption(
      new Option('--operation <name>', 'collective of the schedule')
        .choices(['all-gather', 'reduce-scatter', 'all-reduce'])
        .default('all-gather'),
    )
    .option('--schedule <file>', 'write a schedule that reaches the optimum, as MSCCL XML')
    .option('--json', 'print an object for machines')
    .action((files: string[], options: OptimumOptions) => {
      optimum(files, options);
    });
  program
    .command('schema')
    .description('JSON Schema of descriptions, for editors')
    .action(() => {
      process.stdout.write(`${JSON.stringify(descriptionJsonSchema(), null, 2)}\n`);
    });
  return program;
}

function main(): void {
  process.stdout.on('error', (error: NodeJS.ErrnoException) => {
    // A closed pipe (| head) is no error of ours.
    if (error.code === 'EPIPE') process.exit(EXIT.done);
    throw error;
  });
  const program = createProgram((code) => {
    process.exitCode = code;
  });
  try {
    program.parse();
  } catch (error) {
    if (error instanceof CommanderError) {
      process.exitCode = error.exitCode === 0 ? EXIT.done : EXIT.usage;
      return;
    }
    if (!(error instanceof FabricPlanError)) throw error;
    process.stderr.write(`${error.message}\n`);
    process.exitCode = EXIT.input;
  }
}

main();
