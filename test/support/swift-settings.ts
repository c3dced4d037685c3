// The configuration of a one-machine OpenStack Swift that speaks S3: one replica in one folder.

export interface SwiftLayout {
  folder: string;
  /** Who runs it: the servers insist on becoming somebody. */
  user: string;
  ports: { proxy: number; account: number; container: number; object: number; memcached: number };
}

export const S3_ACCOUNT = {
  accessKeyId: 'test:tester',
  secretAccessKey: 'testing',
  region: 'us-east-1',
} as const;

/** File names and contents. */
export function swiftSettings(layout: SwiftLayout): Record<string, string> {
  const { ports } = layout;
  return {
    'swift.conf': [
      '[swift-hash]',
      'swift_hash_path_prefix = test',
      'swift_hash_path_suffix = test',
      '[storage-policy:0]',
      'name = one',
      'default = yes',
      '',
    ].join('\n'),
    'account.conf': storageServer(layout, 'account', ports.account),
    'container.conf': storageServer(layout, 'container', ports.container),
    'object.conf': storageServer(layout, 'object', ports.object),
    'proxy.conf': proxyServer(layout),
  };
}

function defaults({ folder, user }: SwiftLayout, port: number): string[] {
  return [
    '[DEFAULT]',
    'bind_ip = 127.0.0.1',
    `bind_port = ${port}`,
    // No fork: one process that can be ended.
    'workers = 0',
    `user = ${user}`,
    `swift_dir = ${folder}`,
    'log_level = WARNING',
  ];
}

function storageServer(layout: SwiftLayout, kind: string, port: number): string {
  return [
    ...defaults(layout, port),
    `devices = ${layout.folder}/devices`,
    `recon_cache_path = ${layout.folder}`,
    'mount_check = false',
    'disable_fallocate = true',
    'fallocate_reserve = 0',
    // A list is only right when the container hears of an object before the upload is answered.
    'container_update_timeout = 30',
    '[pipeline:main]',
    `pipeline = ${kind}-server`,
    `[app:${kind}-server]`,
    `use = egg:swift#${kind}`,
    '',
  ].join('\n');
}

function proxyServer(layout: SwiftLayout): string {
  const filters = ['catch_errors', 'gatekeeper', 'cache', 's3api', 'tempauth', 'slo', 'dlo'];
  const { accessKeyId, secretAccessKey, region } = S3_ACCOUNT;
  return [
    ...defaults(layout, layout.ports.proxy),
    '[pipeline:main]',
    `pipeline = ${filters.join(' ')} proxy-server`,
    '[app:proxy-server]',
    'use = egg:swift#proxy',
    'account_autocreate = true',
    ...filters.flatMap((name) => [
      `[filter:${name}]`,
      `use = egg:swift#${name === 'cache' ? 'memcache' : name}`,
      ...(name === 'cache' ? [`memcache_servers = 127.0.0.1:${layout.ports.memcached}`] : []),
      ...(name === 's3api' ? [`location = ${region}`] : []),
      ...(name === 'tempauth'
        ? [`user_${accessKeyId.replace(':', '_')} = ${secretAccessKey} .admin`]
        : []),
    ]),
    '',
  ].join('\n');
}
