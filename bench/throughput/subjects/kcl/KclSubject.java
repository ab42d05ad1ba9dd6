import com.sun.management.OperatingSystemMXBean;
import java.lang.management.ManagementFactory;
import java.net.URI;
import java.nio.ByteBuffer;
import java.util.ArrayList;
import java.util.List;
import java.util.Map;
import java.util.concurrent.ConcurrentHashMap;
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
 * last byte of each record, a checkpoint of each shard every ten seconds, and what that takes over a window of time.
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
  private static final long CHECKPOINT_NANOS = 10_000_000_000L;
  private static final long IDLE_MS = 200;
  /** The stream's records say in their last digits which they are: the block, and the record of the block. */
  private static final int BLOCK_DIGITS = 8;
  private static final int RECORD_DIGITS = 6;

  private static final OperatingSystemMXBean SYSTEM =
      (OperatingSystemMXBean) ManagementFactory.getOperatingSystemMXBean();
  private static final Map<String, Counts> COUNTS = new ConcurrentHashMap<>();
  private static final Window WINDOW = new Window();

  private static int number(String name) {
    return Integer.parseInt(System.getenv(name));
  }

  /** What was read of a shard. */
  private record Counts(long records, long sum) {}

  private record Mark(long nanos, long cpuNanos, long records) {
    static Mark now() {
      long records = COUNTS.values().stream().mapToLong(Counts::records).sum();
      return new Mark(System.nanoTime(), SYSTEM.getProcessCpuTime(), records);
    }
  }

  /** When what is measured begins and ends. */
  private static final class Window {
    private Long warmSince;
    private Mark from;
    private boolean isOver;

    synchronized void batchWorked() {
      long now = System.nanoTime();
      if (isOver) return;
      if (warmSince == null) {
        if (COUNTS.size() == SHARDS) warmSince = now;
      } else if (from == null) {
        if (now - warmSince < WARM_UP_NANOS) return;
        from = Mark.now();
        say("{\"event\":\"from\"}");
      } else if (now - from.nanos >= WINDOW_NANOS) {
        isOver = true;
        tell(Mark.now());
      }
    }

    private void tell(Mark to) {
      List<String> shards = new ArrayList<>();
      COUNTS.forEach(
          (id, counts) ->
              shards.add(
                  "{\"shardId\":\"%s\",\"start\":0,\"records\":%d,\"sum\":%d}"
                      .formatted(id, counts.records, counts.sum)));
      say(
          "{\"event\":\"to\",\"records\":%d,\"seconds\":%s,\"cpuSeconds\":%s,\"heapBytes\":%d,\"shards\":[%s]}"
              .formatted(
                  to.records - from.records,
                  (to.nanos - from.nanos) / 1e9,
                  (to.cpuNanos - from.cpuNanos) / 1e9,
                  Runtime.getRuntime().maxMemory(),
                  String.join(",", shards)));
    }
  }

  private static void say(String line) {
    System.out.println(line);
    System.out.flush();
  }

  private static final class Processor implements ShardRecordProcessor {
    private String shard;
    private long next;
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
      if (first != next || last - first + 1 != records.size()) {
        say(
            "{\"event\":\"%s\",\"shardId\":\"%s\",\"count\":%d,\"from\":%d,\"to\":%d,\"next\":%d}"
                .formatted(first < next ? "again" : "lost", shard, records.size(), first, last, next));
        Runtime.getRuntime().halt(1);
      }
      next = last + 1;
      Counts more = new Counts(records.size(), sum);
      COUNTS.merge(shard, more, (a, b) -> new Counts(a.records + b.records, a.sum + b.sum));
      WINDOW.batchWorked();
      try {
        if (System.nanoTime() - savedAt < CHECKPOINT_NANOS) return;
        input.checkpointer().checkpoint();
        savedAt = System.nanoTime();
      } catch (Exception error) {
        fail("%s: no checkpoint: %s".formatted(shard, error));
      }
    }

    private long indexOf(KinesisClientRecord record) {
      String digits = record.sequenceNumber();
      int recordAt = digits.length() - RECORD_DIGITS;
      long block = Long.parseLong(digits.substring(recordAt - BLOCK_DIGITS, recordAt));
      return block * BLOCK + Long.parseLong(digits.substring(recordAt));
    }

    private static void fail(String why) {
      System.err.println(why);
      Runtime.getRuntime().halt(1);
    }

    @Override
    public void leaseLost(LeaseLostInput input) {
      fail(shard + ": the lease was lost");
    }

    @Override
    public void shardEnded(ShardEndedInput input) {
      fail(shard + ": the shard ended");
    }

    @Override
    public void shutdownRequested(ShutdownRequestedInput input) {}
  }

  public static void main(String[] args) {
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
            configs.leaseManagementConfig(),
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
