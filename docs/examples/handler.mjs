// The handler file that the application ships, as `leasehold run --handler` takes it.
export default ({ logger }) => ({
  process(batch, lease) {
    for (const record of batch.records) {
      lease.assertHeld();
      const order = JSON.parse(Buffer.from(record.data).toString());
      logger.info({ order: order.id, token: lease.fencingToken }, "order stored");
    }
  },
});
