import com.sun.management.OperatingSystemMXBean;
import java.io.IOException;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.HashSet;
import java.util.List;
import java.util.Set;
import java.util.concurrent.ConcurrentHashMap;
import java.util.concurrent.CopyOnWriteArrayList;
import java.util.concurrent.atomic.AtomicLong;
import java.util.stream.Collectors;
import software.amazon.awssdk.auth.credentials.AwsBasicCredentials;
import software.amazon.awssdk.auth.credentials.StaticCredentialsProvider;
import software.amazon.awssdk.http.Protocol;
import software.amazon.awssdk.http.nio.netty.NettyNioAsyncHttpClient;
import software.amazon.awssdk.regions.Region;
import software.amazon.awssdk.services.cloudwatch.CloudWatchAsyncClient;
import software.amazon.awssdk.services.dynamodb.DynamoDbAsyncClient;
import software.amazon.awssdk.services.kinesis.KinesisAsyncClient;
import software.amazon.kinesis.common.ConfigsBuilder;
import software.amazon.kinesis.common.InitialPositionInStream;
import software.amazon.kinesis.common.InitialPositionInStreamExtended;
import software.amazon.kinesis.coordinator.Scheduler;
import software.amazon.kinesis.lifecycle.events.InitializationInput;
import software.amazon.kinesis.lifecycle.events.LeaseLostInput;
import software.amazon.kinesis.lifecycle.events.ProcessRecordsInput;
import software.amazon.kinesis.lifecycle.events.ShardEndedInput;
import software.amazon.kinesis.lifecycle.events.ShutdownRequestedInput;
import software.amazon.kinesis.metrics.NullMetricsFactory;
import software.amazon.kinesis.processor.ShardRecordProcessor;
import software.amazon.kinesis.retrieval.KinesisClientRecord;
import software.amazon.kinesis.retrieval.polling.PollingConfig;

/**
 * A worker of the Java KCL that does what the subjects on Node do, and counts as they do (tally.mjs): the first and the
 * last byte of each record, a checkpoint of each shard as often as Leasehold's, and what that takes over a window of time.
 *
 * <p>Its options are the KCL's own, save two: it begins at the oldest record, and waits 200 ms between two reads of a
 * shard, the least that it can be told to, where it would wait 1,500: with that it would mostly wait.
 */
public final class KclSubject {
  private static final String STREAM = System.getenv("BENCH_STREAM");
  private static final int SHARDS = number("BENCH_SHARDS");
  private static final long BLOCK = number("BENCH_BLOCK");
  private static final long WARM_UP_NANOS = number("BENCH_WARM_UP_MS") * 1_000_000L;
  private static final long WINDOW_NANOS = number("BENCH_WINDOW_MS") * 1_000_000L;
  private static final long CHECKPOINT_NANOS = number("BENCH_CHECKPOINT_MS") * 1_000_000L;
  private static final long IDLE_MS = 200;
  /** The stream's records say in their last digits which they are: the block, and the record of the block. */
  private static final int BLOCK_DIGITS = 8;
  private static final int RECORD_DIGITS = 6;

  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private static final AtomicLong RECORDS = new AtomicLong();
  private static final Set<String> SHARDS_READ = ConcurrentHashMap.newKeySet();
  private static final List<Run> RUNS = new CopyOnWriteArrayList<>();
  private static final Window WINDOW = new Window();

  private static int number(String name) {
    return Integer.parseInt(System.getenv(name));
  }

  /** What was read of a shard in one tenure, without a gap. A lease that was lost and taken again has two. */
  private static final class Run {
    private final String shard;
    private final long start;
    private long records;
    private long sum;

    Run(String shard, long start) {
      this.shard = shard;
      this.start = start;
    }

    long end() {
      return start + records;
    }

    synchronized void add(long moreRecords, long moreSum) {
      records += moreRecords;
      sum += moreSum;
    }

    synchronized String asJson() {
      return "{\"shardId\":\"%s\",\"start\":%d,\"records\":%d,\"sum\":%d}".formatted(shard, start, records, sum);
    }
  }

  private record Mark(long nanos, long cpuNanos, long records) {
    static Mark now() {
      return new Mark(System.nanoTime(), SYSTEM.getProcessCpuTime(), RECORDS.get());
    }
  }

  /** When what is measured begins and ends. */
  private static final class Window {
    private final Set<String> shardsRead = new HashSet<>();
    private Long warmSince;
    private boolean isReady;
    private Mark from;
    private boolean isOver;

    synchronized void batchWorked(String shard) {
      long now = System.nanoTime();
      if (isOver) return;
      if (from != null) shardsRead.add(shard);
      if (warmSince == null) {
        if (SHARDS_READ.size() == SHARDS) warmSince = now;
      } else if (!isReady) {
        if (now - warmSince < WARM_UP_NANOS) return;
        isReady = true;
        say("{\"event\":\"ready\"}");
      } else if (from != null && now - from.nanos >= WINDOW_NANOS && shardsRead.size() == SHARDS) {
        isOver = true;
        tell(Mark.now());
      }
    }

    synchronized void begin() {
      from = Mark.now();
    }

    private void tell(Mark to) {
      String read = RUNS.stream().map(Run::asJson).collect(Collectors.joining(","));
      say(
          "{\"event\":\"to\",\"records\":%d,\"seconds\":%s,\"cpuSeconds\":%s,\"heapBytes\":%d,\"read\":[%s]}"
              .formatted(
                  to.records - from.records,
                  (to.nanos - from.nanos) / 1e9,
                  (to.cpuNanos - from.cpuNanos) / 1e9,
                  Runtime.getRuntime().maxMemory(),
                  read));
    }
  }

  private static void say(String line) {
    System.out.println(line);
    System.out.flush();
  }

  private static final class Processor implements ShardRecordProcessor {
    private String shard;
    private Run run;
    private long savedAt = System.nanoTime();

    @Override
    public void initialize(InitializationInput input) {
      shard = input.shardId();
    }

    @Override
    public void processRecords(ProcessRecordsInput input) {
      List<KinesisClientRecord> records = input.records();
      if (records.isEmpty()) return;
      long sum = 0;
      for (KinesisClientRecord record : records) {
        ByteBuffer data = record.data();
        sum += (data.get(data.position()) & 0xff) + (data.get(data.limit() - 1) & 0xff);
      }
      long first = indexOf(records.get(0));
      long last = indexOf(records.get(records.size() - 1));
      if (run == null) RUNS.add(run = new Run(shard, first));
      if (first != run.end() || last - first + 1 != records.size()) {
        say(
            "{\"event\":\"lost\",\"shardId\":\"%s\",\"count\":%d,\"from\":%d,\"to\":%d,\"next\":%d}"
                .formatted(shard, records.size(), first, last, run.end()));
        Runtime.getRuntime().halt(1);
      }
      run.add(records.size(), sum);
      RECORDS.addAndGet(records.size());
      SHARDS_READ.add(shard);
      WINDOW.batchWorked(shard);
      if (System.nanoTime() - savedAt >= CHECKPOINT_NANOS) checkpoint(input);
    }

    /** One that is refused because the lease was lost loses nothing: the next tenure reads some records once more. */
    private void checkpoint(ProcessRecordsInput input) {
      try {
        input.checkpointer().checkpoint();
        savedAt = System.nanoTime();
      } catch (Exception error) {
        System.err.println("%s: no checkpoint: %s".formatted(shard, error));
      }
    }

    private long indexOf(KinesisClientRecord record) {
      String digits = record.sequenceNumber();
      int recordAt = digits.length() - RECORD_DIGITS;
      long block = Long.parseLong(digits.substring(recordAt - BLOCK_DIGITS, recordAt));
      return block * BLOCK + Long.parseLong(digits.substring(recordAt));
    }

    @Override
    public void leaseLost(LeaseLostInput input) {
      System.err.println(shard + ": the lease was lost");
    }

    @Override
    public void shardEnded(ShardEndedInput input) {
      throw new IllegalStateException(shard + " ended: the canned stream's shards do not");
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {}
  }

  /** Whatever the bench says is the word to begin. */
  private static void listen() {
    try {
      if (System.in.read() >= 0) WINDOW.begin();
    } catch (IOException error) {
      System.err.println("the bench's word was not heard: " + error);
      Runtime.getRuntime().halt(1);
    }
  }

  public static void main(String[] args) {
    Thread listener = new Thread(KclSubject::listen);
    listener.setDaemon(true);
    listener.start();
    StaticCredentialsProvider credentials =
        StaticCredentialsProvider.create(AwsBasicCredentials.create("bench", "bench"));
    KinesisAsyncClient kinesis =
        KinesisAsyncClient.builder()
            .region(Region.US_EAST_1)
            .credentialsProvider(credentials)
            .endpointOverride(URI.create(System.getenv("AWS_ENDPOINT_URL_KINESIS")))
            .httpClient(
                NettyNioAsyncHttpClient.builder()
                    .maxConcurrency(1_000)
                    // The canned stream speaks no HTTP/2.
                    .protocol(Protocol.HTTP1_1)
                    .build())
            .build();
    DynamoDbAsyncClient dynamodb =
        DynamoDbAsyncClient.builder()
            .region(Region.US_EAST_1)
            .credentialsProvider(credentials)
            .endpointOverride(URI.create(System.getenv("AWS_ENDPOINT_URL_DYNAMODB")))
            .build();
    // Asked for by the builder; without metrics nothing is sent there.
    CloudWatchAsyncClient cloudWatch =
        CloudWatchAsyncClient.builder().region(Region.US_EAST_1).credentialsProvider(credentials).build();
    ConfigsBuilder configs =
        new ConfigsBuilder(
            STREAM,
            System.getenv("BENCH_APPLICATION"),
            kinesis,
            dynamodb,
            cloudWatch,
            "worker",
            Processor::new);
    PollingConfig polling =
        new PollingConfig(STREAM, kinesis)
            .maxRecords(number("BENCH_LIMIT"))
            .idleTimeBetweenReadsInMillis(IDLE_MS);
    new Scheduler(
            configs.checkpointConfig(),
            configs.coordinatorConfig(),
            configs.leaseManagementConfig().failoverTimeMillis(number("BENCH_FAILOVER_MS")),
            configs.lifecycleConfig(),
            configs.metricsConfig().metricsFactory(new NullMetricsFactory()),
            configs.processorConfig(),
            configs
                .retrievalConfig()
                .retrievalSpecificConfig(polling)
                .initialPositionInStreamExtended(
                    InitialPositionInStreamExtended.newInitialPosition(
                        InitialPositionInStream.TRIM_HORIZON)))
        .run();
  }
}
