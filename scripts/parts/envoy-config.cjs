/**
 * Puts a config of envoy/ onto other addresses: the committed files stay valid as they are, and the tests and the local
 * mesh run the very same filters and routes on ports of their own.
 */
const { readFileSync } = require('node:fs');
const path = require('node:path');
const { parse } = require('yaml');
const { ROOT } = require('./catalogue.cjs');

function socketAddress(hostPort) {
  const at = hostPort.lastIndexOf(':');
  return { socket_address: { address: hostPort.slice(0, at), port_value: Number(hostPort.slice(at + 1)) } };
}

function named(list, name, kind) {
  const found = list.find((item) => item.name === name);
  if (found === undefined) throw new Error(`the Envoy config has no ${kind} named ${name}`);
  return found;
}

/** Reads `envoy/<name>.yaml`. */
function loadEnvoyConfig(name) {
  return parse(readFileSync(path.join(ROOT, 'envoy', `${name}.yaml`), 'utf8'));
}

/** Changes addresses in place; see the declaration file. */
function placeEnvoyConfig(config, { admin, listeners = {}, clusters = {} }) {
  if (admin !== undefined) config.admin.address = socketAddress(admin);
  for (const [name, hostPort] of Object.entries(listeners)) {
    named(config.static_resources.listeners, name, 'listener').address = socketAddress(hostPort);
  }
  for (const [name, hostPorts] of Object.entries(clusters)) {
    const assignment = named(config.static_resources.clusters, name, 'cluster').load_assignment;
    assignment.endpoints = [
      { lb_endpoints: hostPorts.map((hostPort) => ({ endpoint: { address: socketAddress(hostPort) } })) },
    ];
  }
  return config;
}

/** The typed config of the rate-limit filter of a listener, to change in place. */
function rateLimitFilter(config, listenerName) {
  const listener = named(config.static_resources.listeners, listenerName, 'listener');
  const manager = listener.filter_chains[0].filters[0].typed_config;
  return named(manager.http_filters, 'envoy.filters.http.ratelimit', 'HTTP filter').typed_config;
}

/** A cluster by name, to change in place. */
function envoyCluster(config, name) {
  return named(config.static_resources.clusters, name, 'cluster');
}

module.exports = { loadEnvoyConfig, placeEnvoyConfig, rateLimitFilter, envoyCluster };
